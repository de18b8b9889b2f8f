# SPDX-License-Identifier: BSD-3-Clause
"""Vectors of LANES integers for Numba kernels: `load(words, i) ^ splat32(w)` is Python, and runs as SIMD.

Loops over arrays are left scalar where too many of them might overlap, so the kernels of
`golden.fast_kernels` say what they want: each operation is one LLVM vector instruction on LANES values, and
LLVM cuts it to what the processor has, two registers on AVX-512, four on AVX2, eight on NEON. Two operations
look at the processor, `count_ones` and `add_products`; everything else is one code for all.

A vector has the type `Vec(element)`, elements are int16, int32 or int64; comparisons give `Vec(boolean)`.
Integers wrap around. Nothing here checks an index.
"""

from __future__ import annotations

import operator

from llvmlite import ir
from numba import types
from numba.core import cgutils
from numba.core.datamodel import models
from numba.extending import intrinsic, overload, register_model

from golden.fast_ops import LANES

_INDEX = ir.IntType(32)


class Vec(types.Type):
    """Numba type of `LANES` values of the type `element`."""

    def __init__(self, element: types.Type) -> None:
        self.element = element
        super().__init__(name=f"Vec({element})")

    @property
    def key(self) -> types.Type:
        """What makes two of these types equal."""
        return self.element

    @property
    def llvm(self) -> ir.VectorType:
        """The LLVM type."""
        return ir.VectorType(ir.IntType(1 if self.element == types.boolean else self.element.bitwidth), LANES)


@register_model(Vec)
class _VecModel(models.PrimitiveModel):
    """A vector is held in one LLVM value."""

    def __init__(self, dmm, fe_type) -> None:
        super().__init__(dmm, fe_type, fe_type.llvm)


@intrinsic
def pointer(typingctx, array):
    """Return a pointer to the first element of a contiguous array; whoever calls keeps the array alive.

    Kernels pass pointers around because Numba counts references to arrays, with slow atomic instructions.
    """

    def codegen(context, builder, signature, args):
        return context.make_array(array)(context, builder, args[0]).data

    return types.CPointer(array.dtype)(array), codegen


def _vector_pointer(builder, pointer, index, vector):
    return builder.bitcast(builder.gep(pointer, [index]), vector.llvm.as_pointer())


@intrinsic
def load(typingctx, pointer, index):
    """Return pointer[index : index + LANES]; needs no alignment."""
    vector = Vec(pointer.dtype)

    def codegen(context, builder, signature, args):
        value = builder.load(_vector_pointer(builder, args[0], args[1], vector))
        value.align = pointer.dtype.bitwidth // 8
        return value

    return vector(pointer, types.intp), codegen


@intrinsic
def store(typingctx, pointer, index, vector):
    """Do pointer[index : index + LANES] = vector; narrower elements take the last bits."""
    target = Vec(pointer.dtype)

    def codegen(context, builder, signature, args):
        value = builder.trunc(args[2], target.llvm) if vector != target else args[2]
        done = builder.store(value, _vector_pointer(builder, args[0], args[1], target))
        done.align = pointer.dtype.bitwidth // 8
        return context.get_dummy_value()

    return types.void(pointer, types.intp, vector), codegen


def _vector(bits: int, lanes: int) -> ir.VectorType:
    return ir.VectorType(ir.IntType(bits), lanes)


def _splat(context, builder, scalar, scalar_type, element):
    undefined = ir.Constant(Vec(element).llvm, ir.Undefined)
    scalar = context.cast(builder, scalar, scalar_type, element)
    one = builder.insert_element(undefined, scalar, _INDEX(0))
    return builder.shuffle_vector(one, undefined, ir.Constant(ir.VectorType(_INDEX, LANES), [0] * LANES))


def _splat_as(element: types.Type):
    @intrinsic
    def splat(typingctx, value):
        def codegen(context, builder, signature, args):
            return _splat(context, builder, args[0], signature.args[0], element)

        return Vec(element)(value), codegen

    return splat


def _load_splat_as(element: types.Type):
    @intrinsic
    def load_splat(typingctx, pointer, index):
        def codegen(context, builder, signature, args):
            scalar = builder.load(builder.gep(args[0], [args[1]]))
            return _splat(context, builder, scalar, pointer.dtype, element)

        return Vec(element)(pointer, types.intp), codegen

    return load_splat


# splatN(value): the value in all lanes. load_splatN(pointer, index): pointer[index], converted, in all lanes.
splat16, load_splat16 = _splat_as(types.int16), _load_splat_as(types.int16)
splat32, load_splat32 = _splat_as(types.int32), _load_splat_as(types.int32)
splat64, load_splat64 = _splat_as(types.int64), _load_splat_as(types.int64)


def _call(builder, name: str, *args):
    """Call an LLVM intrinsic whose operands and result have one vector type."""
    kind = args[0].type
    function_type = ir.FunctionType(kind, [kind] * len(args))
    function = cgutils.get_or_insert_function(
        builder.module, function_type, f"llvm.{name}.v{kind.count}i{kind.element.width}"
    )
    return builder.call(function, args)


def _llvm_function(name: str, doc: str):
    @intrinsic
    def function(typingctx, a, b):
        return a(a, b), lambda context, builder, signature, args: _call(builder, name, *args)

    function.__doc__ = doc
    return function


minimum = _llvm_function("smin", "The smaller of two signed integers, lane by lane.")
maximum = _llvm_function("smax", "The larger of two signed integers, lane by lane.")
add_saturating = _llvm_function("sadd.sat", "Sum of signed integers, saturated to their width.")


def _features(context) -> list[str]:
    """What the processor has, in LLVM's words; an empty list if code for any processor is wanted."""
    return context.codegen().magic_tuple()[2].split(",")


@intrinsic
def count_ones(typingctx, value):
    """Count the ones of int32, in a form of which up to 31 may be added before `total_ones` is taken.

    Few processors count in 32 bits. Elsewhere the four bytes of the result are the counts of each byte.
    """

    def codegen(context, builder, signature, args):
        if "+avx512vpopcntdq" in _features(context):
            return _call(builder, "ctpop", args[0])
        return builder.bitcast(
            _call(builder, "ctpop", builder.bitcast(args[0], _vector(8, 4 * LANES))), args[0].type
        )

    return value(value), codegen


@intrinsic
def total_ones(typingctx, count):
    """Return the number of ones that sums of `count_ones` stand for."""

    def codegen(context, builder, signature, args):
        if "+avx512vpopcntdq" in _features(context):
            return args[0]
        eight, sixteen, last, bytes_ = (
            ir.Constant(args[0].type, [n] * LANES) for n in (8, 16, 0x7FF, 0x00FF00FF)
        )
        low, high = args[0], builder.lshr(args[0], eight)
        pairs = builder.add(builder.and_(low, bytes_), builder.and_(high, bytes_))
        return builder.and_(builder.add(pairs, builder.lshr(pairs, sixteen)), last)

    return count(count), codegen


@intrinsic
def add_products(typingctx, total, a, b):
    """Return total + low(a) * low(b) + high(a) * high(b); low and high are the signed halves of int32."""

    def codegen(context, builder, signature, args):
        features = _features(context)
        multiply = next((name for feature, name in _PAIR_PRODUCTS if feature in features), None)
        products = _pair_products(builder, multiply, args[1], args[2])
        return builder.add(args[0], products)

    return total(total, a, b), codegen


# x86 has one instruction for this, which LLVM does not find by itself: (feature of the processor, its name).
_PAIR_PRODUCTS = (("+avx512bw", "llvm.x86.avx512.pmaddw.d.512"), ("+avx2", "llvm.x86.avx2.pmadd.wd"))


def _pair_products(builder, multiply: str | None, a, b):
    if multiply is None:
        half = ir.Constant(a.type, [16] * LANES)
        low = builder.mul(*(builder.ashr(builder.shl(v, half), half) for v in (a, b)))
        return builder.add(low, builder.mul(builder.ashr(a, half), builder.ashr(b, half)))
    lanes = 16 if multiply.endswith("512") else 8
    function_type = ir.FunctionType(_vector(32, lanes), [_vector(16, 2 * lanes)] * 2)
    function = cgutils.get_or_insert_function(builder.module, function_type, multiply)
    undefined = ir.Constant(a.type, ir.Undefined)
    parts = []
    for start in range(0, LANES, lanes):
        lanes_of_part = ir.Constant(_vector(32, lanes), list(range(start, start + lanes)))
        halves = [builder.shuffle_vector(v, undefined, lanes_of_part) for v in (a, b)]
        parts.append(builder.call(function, [builder.bitcast(v, _vector(16, 2 * lanes)) for v in halves]))
    while len(parts) > 1:
        both = ir.Constant(_vector(32, 2 * parts[0].type.count), list(range(2 * parts[0].type.count)))
        parts = [builder.shuffle_vector(x, y, both) for x, y in zip(parts[::2], parts[1::2], strict=True)]
    return parts[0]


@intrinsic
def select(typingctx, mask, a, b):
    """Return a where the mask is set, b elsewhere."""
    return a(mask, a, b), lambda context, builder, signature, args: builder.select(*args)


def _conversion(target: types.Type, doc: str):
    vector = Vec(target)

    @intrinsic
    def convert(typingctx, value):
        def codegen(context, builder, signature, args):
            source = value.element
            if source.bitwidth == target.bitwidth:
                return args[0]
            narrower = target.bitwidth < source.bitwidth
            return (builder.trunc if narrower else builder.sext)(args[0], vector.llvm)

        return vector(value), codegen

    convert.__doc__ = doc
    return convert


to_int16 = _conversion(types.int16, "The last 16 bits of integers.")
to_int32 = _conversion(types.int32, "Integers with their sign extended, or the last bits, as int32.")
to_int64 = _conversion(types.int64, "Integers with their sign extended to 64 bits.")


@intrinsic
def saturate_int16(typingctx, value):
    """Clip integers to 16 bits."""

    def codegen(context, builder, signature, args):
        low, high = (ir.Constant(args[0].type, [end] * LANES) for end in (-(1 << 15), (1 << 15) - 1))
        clipped = _call(builder, "smin", _call(builder, "smax", args[0], low), high)
        return builder.trunc(clipped, Vec(types.int16).llvm)

    return Vec(types.int16)(value), codegen


def _operator(python_operator, emit) -> None:
    """Define a Python operator on two vectors of the same type."""

    @intrinsic
    def apply(typingctx, a, b):
        return a(a, b), lambda context, builder, signature, args: emit(builder, *args)

    @overload(python_operator, inline="always")
    def overloaded(a, b):
        if isinstance(a, Vec) and a == b:
            return lambda a, b: apply(a, b)
        return None


def _comparison(python_operator, symbol: str) -> None:
    mask = Vec(types.boolean)

    @intrinsic
    def apply(typingctx, a, b):
        return mask(a, b), lambda context, builder, signature, args: builder.icmp_signed(symbol, *args)

    @overload(python_operator, inline="always")
    def overloaded(a, b):
        if isinstance(a, Vec) and a == b:
            return lambda a, b: apply(a, b)
        return None


_operator(operator.add, lambda builder, a, b: builder.add(a, b))
_operator(operator.mul, lambda builder, a, b: builder.mul(a, b))
_operator(operator.xor, lambda builder, a, b: builder.xor(a, b))
_operator(operator.and_, lambda builder, a, b: builder.and_(a, b))
_operator(operator.or_, lambda builder, a, b: builder.or_(a, b))
_operator(operator.iadd, lambda builder, a, b: builder.add(a, b))
_operator(operator.ior, lambda builder, a, b: builder.or_(a, b))
_operator(operator.rshift, lambda builder, a, b: builder.ashr(a, b))
_operator(operator.lshift, lambda builder, a, b: builder.shl(a, b))
_comparison(operator.gt, ">")
_comparison(operator.ge, ">=")
