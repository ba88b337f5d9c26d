// The kernels of vector.inc, compiled for portable.
#define CK_NAME(name) name##_portable
#define CK_ISA "portable"
#include "vector.inc"
