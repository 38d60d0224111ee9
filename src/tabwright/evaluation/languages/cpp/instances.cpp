// Makes what `imports.hpp` declares to be made elsewhere.
#define TABWRIGHT_TEMPLATE template
#include "imports.hpp"
