# SPDX-License-Identifier: BSD-3-Clause
"""The demo end to end with tiny networks: pictures, the printed table and a page that needs nothing else."""

import base64
import io
import re
from html.parser import HTMLParser

import numpy as np
import pytest
from host_examples import network, picture, pixels, read
from PIL import Image

from golden import IntegerNetwork, run
from host.degrade import clean_image, degradation, degrade, psnr
from host.demo import main
from host.demo_page import Headline, Row, Section, results_table, write_page
from host.demo_photo import Photo, interesting_parts, load_photo

HEIGHT, WIDTH = 45, 62


class Page(HTMLParser):
    """Checks that tags are balanced and collects what the page refers to."""

    VOID = ("meta", "img", "input", "br")

    def __init__(self, text):
        super().__init__()
        self.open, self.images, self.references, self.text = [], [], [], []
        self.feed(text)
        assert self.open == []

    def handle_starttag(self, tag, attrs):
        attrs = dict(attrs)
        if tag == "img":
            assert attrs["alt"]
            self.images.append(attrs["src"])
        self.references += [value for key, value in attrs.items() if key in ("href", "src", "action", "data")]
        if tag not in self.VOID:
            self.open.append(tag)

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def handle_data(self, data):
        self.text.append(data)


def demo(tmp_path, model, *arguments):
    options = ["--out", tmp_path / "demo", "--model", model, "--engine", "numpy", *arguments]
    return main([str(option) for option in options])


@pytest.fixture
def photo(tmp_path):
    picture(HEIGHT, WIDTH).save(tmp_path / "photo.png")
    return tmp_path / "photo.png"


@pytest.mark.parametrize("name", ["x2", "x3", "denoise", "deblock"])
def test_end_to_end(tmp_path, photo, models, capsys, name):
    assert demo(tmp_path, models / f"{name}.npz", "--photo", photo) == 0
    net = network(name)
    out = tmp_path / "demo"
    clean, degraded, restored = (read(out / f"{file}.png") for file in ("original", "input", "restored"))
    assert np.array_equal(clean, clean_image(pixels(HEIGHT, WIDTH), net))
    assert np.array_equal(degraded, degrade(clean, net))
    assert np.array_equal(restored, run(net, degraded))
    files = {"original.png", "input.png", "restored.png", "compare.png", "parts.png", "index.html"}
    assert {file.name for file in out.iterdir()} == files | ({"bicubic.png"} if net.scale > 1 else set())

    printed = capsys.readouterr()
    ours = f"{psnr(restored, clean, net):.2f} dB"
    assert re.search(
        rf"^bitmend +{re.escape(ours)} .* s  golden model, numpy engine$", printed.out, re.MULTILINE
    )
    assert net.content_hash[:16] in printed.out
    assert printed.err == ""

    page = Page((out / "index.html").read_text("utf-8"))
    assert page.references == page.images
    for source in page.images:
        kind, _, data = source.partition(",")
        assert kind == "data:image/png;base64"
        Image.open(io.BytesIO(base64.b64decode(data))).verify()
    text = " ".join(page.text)
    for expected in (ours, net.content_hash, degradation(net), "golden model, numpy engine"):
        assert expected in text
    assert str(tmp_path) not in (out / "index.html").read_text("utf-8")


def test_the_page_has_no_links_and_forbids_loading(tmp_path, photo, models):
    assert demo(tmp_path, models / "x2.npz", "--photo", photo) == 0
    page = (tmp_path / "demo" / "index.html").read_text("utf-8")
    without_pictures = re.sub(r"data:image/png;base64,[A-Za-z0-9+/=]+", "", page)
    assert not re.search(r"https?:|url\(|@import|<link|<iframe|fetch\(|//[a-z]", without_pictures)
    assert "default-src 'none'" in page


def test_it_runs_again_in_the_same_folder(tmp_path, photo, models):
    for _ in range(2):
        assert demo(tmp_path, models / "denoise.npz", "--photo", photo) == 0


@pytest.mark.parametrize(
    ("size", "message"),
    [
        (None, "missing.png: cannot be read: No such file"),
        ((15, 40), "is 40 x 15 pixels, expected at least 16"),
    ],
)
def test_bad_photos(tmp_path, models, capsys, size, message):
    if size:
        picture(*size).save(tmp_path / "missing.png")
    assert demo(tmp_path, models / "x2.npz", "--photo", tmp_path / "missing.png") == 2
    line = capsys.readouterr().err
    assert line.startswith("demo: ")
    assert message in line
    assert line.count("\n") == 1
    assert not (tmp_path / "demo").exists()


def test_the_output_must_be_a_folder(tmp_path, photo, models, capsys):
    (tmp_path / "demo").write_text("a file")
    assert demo(tmp_path, models / "x2.npz", "--photo", photo) == 2
    assert capsys.readouterr().err.endswith("demo: cannot be written: File exists\n")


def test_the_built_in_photo():
    pytest.importorskip("skimage")
    photo = load_photo(None)
    assert photo.pixels.shape == (512, 512, 3)
    for scale in (1, 2, 3, 4):
        clean = clean_image(photo.pixels, network("x3")) if scale == 3 else photo.pixels
        for part in interesting_parts(photo, clean, scale):
            assert (part.y % scale, part.x % scale, part.side % scale) == (0, 0, 0)
            assert max(part.y, part.x) + part.side <= 510


def test_parts_are_where_the_detail_is():
    array = np.zeros((200, 300, 3), np.uint8)
    array[64:128, 96:160] = np.random.default_rng(0).integers(0, 256, (64, 64, 3))
    first, *others = interesting_parts(Photo(array, "", ""), array, 2)
    assert (first.y, first.x, first.side) == (64, 96, 64)
    for other in others:
        assert max(abs(other.y - first.y), abs(other.x - first.x)) >= 64


def test_a_large_photo_is_cut_around_its_centre(tmp_path):
    array = pixels(20, 1_700)
    Image.fromarray(array).save(tmp_path / "wide.png")
    assert np.array_equal(load_photo(tmp_path / "wide.png").pixels, array[:, 50:1_650])


class TestDegradation:
    def network(self, name, config):
        plain = network(name)
        return IntegerNetwork(plain.task, plain.scale, plain.channels, plain.layers, {"config": config})

    def test_noise_has_the_level_of_the_network_and_is_repeatable(self):
        net = self.network("denoise", {"sigma": [10, 20]})
        clean = np.full((200, 200, 3), 128, np.uint8)
        noisy = degrade(clean, net)
        assert np.std(noisy.astype(float) - clean) == pytest.approx(15, rel=0.02)
        assert np.array_equal(noisy, degrade(clean, net))
        assert degradation(net) == "Gaussian noise, sigma 15"

    def test_jpeg(self):
        net = self.network("deblock", {"quality": [30, 30]})
        clean = clean_image(pixels(40, 40), net)
        buffer = io.BytesIO()
        Image.fromarray(clean[..., 0]).save(buffer, "JPEG", quality=30)
        assert np.array_equal(degrade(clean, net)[..., 0], np.asarray(Image.open(buffer)))
        assert degradation(net) == "JPEG, quality 30"

    def test_downscaling_after_cutting_to_a_multiple(self):
        clean = clean_image(pixels(40, 41), network("x3"))
        assert clean.shape == (39, 39, 3)
        expected = Image.fromarray(clean).resize((13, 13), Image.BICUBIC)
        assert np.array_equal(degrade(clean, network("x3")), np.asarray(expected))

    def test_meta_without_a_configuration(self):
        assert degradation(network("denoise")) == "Gaussian noise, sigma 25"
        assert degradation(self.network("deblock", None)) == "JPEG, quality 10"


class TestPsnr:
    def test_equal_images(self):
        assert psnr(pixels(9, 9), pixels(9, 9), network("x2")) == float("inf")

    def test_everything_counts_at_scale_1(self):
        image = np.zeros((10, 10, 3), np.uint8)
        changed = image.copy()
        changed[0, 0, 0] = 30  # squared error 900 in 300 values
        assert psnr(changed, image, network("denoise")) == pytest.approx(10 * np.log10(255**2 / 3))

    def test_luma_without_border_for_super_resolution(self):
        image = np.full((10, 10, 3), 100, np.uint8)
        changed = image.copy()
        changed[:2] = changed[-2:] = 0  # the border of a x2 network
        assert psnr(changed, image, network("x2")) == float("inf")
        changed[4, 4] += 10
        luma_error = 10 * (65.481 + 128.553 + 24.966) / 255
        assert psnr(changed, image, network("x2")) == pytest.approx(
            10 * np.log10(255**2 * 36 / luma_error**2)
        )

    def test_it_is_the_one_that_training_reports(self):
        metrics = pytest.importorskip("quant.metrics")
        config = pytest.importorskip("quant.config").preset("bbcu_nano_x2")
        a, b = pixels(20, 24), pixels(20, 24, seed=1)
        expected = metrics.psnr(metrics.comparable(a, config), metrics.comparable(b, config))
        assert psnr(a, b, network("x2")) == pytest.approx(expected, abs=1e-9)


class TestPage:
    def test_gains_are_over_the_first_row(self):
        table = results_table([Row("bicubic", 30.0), Row("golden", 31.5, 2.0, "note"), Row("RTL", 31.5)])
        cells = re.findall(r"<t[hd](?: [^>]*)?>([^<]*)<", table)[5:]
        assert cells == [
            *("bicubic", "30.00 dB", "", "", ""),
            *("golden", "31.50 dB", "+1.50 dB", "2.0 s", "note"),
            *("RTL", "31.50 dB", "+1.50 dB", "", ""),
        ]

    def test_text_is_escaped(self, tmp_path):
        page = tmp_path / "page.html"
        write_page(page, "a < b", "<script>", [Headline("1 & 2", "<i>")], [Section("<b>", "<p>body</p>")])
        text = page.read_text("utf-8")
        for expected in ("a &lt; b", "&lt;script&gt;", "1 &amp; 2", "&lt;i&gt;", "&lt;b&gt;", "<p>body</p>"):
            assert expected in text
