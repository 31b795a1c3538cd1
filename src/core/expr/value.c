#include "core/expr/value.h"
