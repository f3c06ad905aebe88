/* Reads points from standard input and says on which moon each lies. */
#include <stdio.h>

double moons(const double x[2]);

int main(void) {
    double x[2];
    while (scanf("%lf %lf", &x[0], &x[1]) == 2) {
        puts(moons(x) > 0.0 ? "lower" : "upper");
    }
    return 0;
}
