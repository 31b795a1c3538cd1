#include "core/base/math.h"
