// The kernels of vector.inc, compiled for portable.
#define CK_NAME(name) name##_portable
#define CK_PRODUCT_LANES 4
#define CK_PRODUCT_ROWS 4
#include "vector.inc"
