/*
 * Doubles that agree within a tolerance. cmocka's own assert_float_equal works in single precision.
 */
#ifndef LIQCASCADE_TESTS_SUPPORT_NEAR_H
#define LIQCASCADE_TESTS_SUPPORT_NEAR_H

#include <math.h>

/* |value - expected| <= tolerance, absolute; fails on NaN. After <cmocka.h>. */
#define assert_near(value, expected, tolerance)                                                  \
    do {                                                                                         \
        double near_value = (value), near_expected = (expected), near_tolerance = (tolerance);   \
        if (!(fabs(near_value - near_expected) <= near_tolerance))                               \
            fail_msg("%s is %.17g; expected %.17g within %g", #value, near_value, near_expected, \
                     near_tolerance);                                                            \
    } while (0)

#endif
