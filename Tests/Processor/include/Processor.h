// Instructions as this machine's own processor executes them, for tests to compare with.
#pragma once
#include <stdint.h>

typedef struct { uint64_t value, flags; } processor_result;

// One instruction on a value of a size, with a count or second operand in RCX and with the given status flags. The stack
// pointer keeps clear of the red zone.
#define PROCESSOR(name, text)                                                                            \
    static inline processor_result name(uint64_t value, uint64_t other, uint64_t flags) {                \
        __asm__ volatile("lea -128(%%rsp), %%rsp\n pushq %1\n popfq\n" text                              \
                         "\n pushfq\n popq %1\n lea 128(%%rsp), %%rsp"                                   \
                         : "+a"(value), "+b"(flags) : "c"(other) : "cc", "memory", "rdx");               \
        return (processor_result){value, flags};                                                         \
    }

#define PROCESSOR_SHIFT(name)                          \
    PROCESSOR(processor_##name##_1, #name "b %%cl, %%al")  \
    PROCESSOR(processor_##name##_2, #name "w %%cl, %%ax")  \
    PROCESSOR(processor_##name##_4, #name "l %%cl, %%eax") \
    PROCESSOR(processor_##name##_8, #name "q %%cl, %%rax")
PROCESSOR_SHIFT(rol) PROCESSOR_SHIFT(ror) PROCESSOR_SHIFT(rcl) PROCESSOR_SHIFT(rcr)
PROCESSOR_SHIFT(shl) PROCESSOR_SHIFT(shr) PROCESSOR_SHIFT(sar)

#define PROCESSOR_UNARY(name)                    \
    PROCESSOR(processor_##name##_1, #name "b %%al")  \
    PROCESSOR(processor_##name##_2, #name "w %%ax")  \
    PROCESSOR(processor_##name##_4, #name "l %%eax") \
    PROCESSOR(processor_##name##_8, #name "q %%rax")
PROCESSOR_UNARY(inc) PROCESSOR_UNARY(dec) PROCESSOR_UNARY(not) PROCESSOR_UNARY(neg)

// The bit number is taken modulo the size, as a register operand does. A result from RCX to RAX for the counts.
#define PROCESSOR_BITS(name)                           \
    PROCESSOR(processor_##name##_2, #name "w %%cx, %%ax")  \
    PROCESSOR(processor_##name##_4, #name "l %%ecx, %%eax") \
    PROCESSOR(processor_##name##_8, #name "q %%rcx, %%rax")
PROCESSOR_BITS(bt) PROCESSOR_BITS(bts) PROCESSOR_BITS(btr) PROCESSOR_BITS(btc)
PROCESSOR_BITS(bsf) PROCESSOR_BITS(bsr) PROCESSOR_BITS(imul)
PROCESSOR_BITS(popcnt) PROCESSOR_BITS(lzcnt) PROCESSOR_BITS(tzcnt)

// RAX times RCX: the low half, or the high half.
#define PROCESSOR_PRODUCT(name)                                                          \
    PROCESSOR(processor_##name##_low_1, #name "b %%cl")                                   \
    PROCESSOR(processor_##name##_low_2, #name "w %%cx")                                   \
    PROCESSOR(processor_##name##_low_4, #name "l %%ecx")                                  \
    PROCESSOR(processor_##name##_low_8, #name "q %%rcx")                                  \
    PROCESSOR(processor_##name##_high_1, #name "b %%cl\n movzbl %%ah, %%eax")             \
    PROCESSOR(processor_##name##_high_2, #name "w %%cx\n movw %%dx, %%ax")                \
    PROCESSOR(processor_##name##_high_4, #name "l %%ecx\n movl %%edx, %%eax")             \
    PROCESSOR(processor_##name##_high_8, #name "q %%rcx\n movq %%rdx, %%rax")
PROCESSOR_PRODUCT(mul)
PROCESSOR(processor_imul_high_1, "imulb %%cl\n movzbl %%ah, %%eax")
PROCESSOR(processor_imul_high_2, "imulw %%cx\n movw %%dx, %%ax")
PROCESSOR(processor_imul_high_4, "imull %%ecx\n movl %%edx, %%eax")
PROCESSOR(processor_imul_high_8, "imulq %%rcx\n movq %%rdx, %%rax")

// Whether a condition holds, by its number.
static inline uint64_t processor_condition(uint8_t number, uint64_t flags) {
    uint64_t value = 0, set;
#define CONDITION(n, name)                                                                               \
    case n:                                                                                              \
        __asm__ volatile("lea -128(%%rsp), %%rsp\n pushq %1\n popfq\n set" name " %%al\n lea 128(%%rsp), %%rsp" \
                         : "=a"(set) : "b"(flags) : "cc", "memory");                                     \
        value = set & 255;                                                                               \
        break;
    switch (number & 15) {
        CONDITION(0, "o") CONDITION(1, "no") CONDITION(2, "b") CONDITION(3, "nb") CONDITION(4, "z") CONDITION(5, "nz")
        CONDITION(6, "be") CONDITION(7, "a") CONDITION(8, "s") CONDITION(9, "ns") CONDITION(10, "p") CONDITION(11, "np")
        CONDITION(12, "l") CONDITION(13, "ge") CONDITION(14, "le") CONDITION(15, "g")
    }
    return value;
}
