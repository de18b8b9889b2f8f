# SPDX-License-Identifier: BSD-3-Clause
"""Vectors of 32 integers for Numba kernels: `load(words, i) ^ splat(w)` is written in Python, runs as SIMD.

Numba's own loop vectoriser gives up on the kernels of `golden.fast_kernels` (too many rows that might overlap),
so these say what they want: each operation is one LLVM vector instruction on `LANES` values, and LLVM cuts
it to what the processor has, two registers on AVX-512, four on AVX2, eight on NEON. LLVM knows population
count, saturating addition and so on for every processor, so there is one code for all of them.

A vector has the type `Vec(element)`, elements are int16, int32, int64 or float32; comparisons give
`Vec(boolean)`. Integers wrap around. Nothing here checks an index.
"""

from __future__ import annotations

import operator

from llvmlite import ir
from numba import types
from numba.core import cgutils
from numba.core.datamodel import models
from numba.extending import intrinsic, overload, register_model

LANES = 32

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
        return ir.VectorType(_scalar(self.element), LANES)


def _scalar(element: types.Type) -> ir.Type:
    if isinstance(element, types.Float):
        return ir.FloatType()
    return ir.IntType(1 if element == types.boolean else element.bitwidth)


@register_model(Vec)
class _VecModel(models.PrimitiveModel):
    """A vector is held in one LLVM value."""

    def __init__(self, dmm, fe_type) -> None:
        super().__init__(dmm, fe_type, fe_type.llvm)


def _element_pointer(context, builder, array_type, array, index, vector):
    data = context.make_array(array_type)(context, builder, array).data
    return builder.bitcast(builder.gep(data, [index]), vector.llvm.as_pointer())


@intrinsic
def load(typingctx, array, index):
    """Return array[index : index + LANES] of a contiguous 1-D array; needs no alignment."""
    vector = Vec(array.dtype)

    def codegen(context, builder, signature, args):
        value = builder.load(_element_pointer(context, builder, signature.args[0], args[0], args[1], vector))
        value.align = array.dtype.bitwidth // 8
        return value

    return vector(array, types.intp), codegen


@intrinsic
def store(typingctx, array, index, vector):
    """Do array[index : index + LANES] = vector; the last bits of each element if the array's are narrower."""

    def codegen(context, builder, signature, args):
        target = Vec(array.dtype)
        value = builder.trunc(args[2], target.llvm) if vector != target else args[2]
        done = builder.store(
            value, _element_pointer(context, builder, signature.args[0], args[0], args[1], target)
        )
        done.align = array.dtype.bitwidth // 8
        return context.get_dummy_value()

    return types.void(array, types.intp, vector), codegen


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
    def load_splat(typingctx, array, index):
        def codegen(context, builder, signature, args):
            data = context.make_array(array)(context, builder, args[0]).data
            scalar = builder.load(builder.gep(data, [args[1]]))
            return _splat(context, builder, scalar, array.dtype, element)

        return Vec(element)(array, types.intp), codegen

    return load_splat


# splatN(value): the value in all lanes. load_splatN(array, index): array[index], converted, in all lanes.
splat16, load_splat16 = _splat_as(types.int16), _load_splat_as(types.int16)
splat32, load_splat32 = _splat_as(types.int32), _load_splat_as(types.int32)
splat64, load_splat64 = _splat_as(types.int64), _load_splat_as(types.int64)
splat_float, load_splat_float = _splat_as(types.float32), _load_splat_as(types.float32)


def _call(builder, name: str, *args):
    """Call an LLVM intrinsic whose operands and result have one vector type."""
    kind = args[0].type
    suffix = f"v{LANES}{'f32' if kind.element == ir.FloatType() else f'i{kind.element.width}'}"
    function_type = ir.FunctionType(kind, [kind] * len(args))
    return builder.call(
        cgutils.get_or_insert_function(builder.module, function_type, f"llvm.{name}.{suffix}"), args
    )


def _llvm_function(name: str, arity: int, doc: str):
    def result(typingctx, *vectors):
        return vectors[0](*vectors), lambda context, builder, signature, args: _call(builder, name, *args)

    if arity == 1:
        function = intrinsic(lambda typingctx, a: result(typingctx, a))
    elif arity == 2:
        function = intrinsic(lambda typingctx, a, b: result(typingctx, a, b))
    else:
        function = intrinsic(lambda typingctx, a, b, c: result(typingctx, a, b, c))
    function.__doc__ = doc
    return function


popcount = _llvm_function("ctpop", 1, "Count the ones of each element.")
minimum = _llvm_function("smin", 2, "The smaller of two signed integers, lane by lane.")
maximum = _llvm_function("smax", 2, "The larger of two signed integers, lane by lane.")
add_saturating = _llvm_function("sadd.sat", 2, "Sum of signed integers, saturated to their width.")
multiply_add = _llvm_function("fmuladd", 3, "a * b + c of floats, rounded once or twice: for exact sums only.")


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
            if isinstance(target, types.Float):
                return builder.sitofp(args[0], vector.llvm)
            if isinstance(source, types.Float):
                return builder.fptosi(args[0], vector.llvm)
            if source.bitwidth == target.bitwidth:
                return args[0]
            narrower = target.bitwidth < source.bitwidth
            return (builder.trunc if narrower else builder.sext)(args[0], vector.llvm)

        return vector(value), codegen

    convert.__doc__ = doc
    return convert


to_int16 = _conversion(types.int16, "The last 16 bits of integers.")
to_int32 = _conversion(types.int32, "Integers with their sign extended, or floats, as int32.")
to_int64 = _conversion(types.int64, "Integers with their sign extended to 64 bits.")
to_float = _conversion(types.float32, "Integers as float32, exact below 2^24.")


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
_operator(operator.rshift, lambda builder, a, b: builder.ashr(a, b))
_operator(operator.lshift, lambda builder, a, b: builder.shl(a, b))
_comparison(operator.gt, ">")
_comparison(operator.ge, ">=")
