// The kernels of vector.inc, compiled for portable.
#define CK_NAME(name) name##_portable
#include "vector.inc"
