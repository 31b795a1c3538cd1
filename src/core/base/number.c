#include "core/base/number.h"
