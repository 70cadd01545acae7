// Times p_var of a checkout of khumarahn/p-var: peer FILE P ROUNDS, with -DDIM=d. FILE holds float64 points.
#include "p_var.h"

#include <array>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <vector>

#if DIM > 1
using point = std::array<double, DIM>;
static double distance(const point& a, const point& b) {
	double sum = 0;
	for (int k = 0; k < DIM; k++) {
		const double d = a[k] - b[k];
		sum += d * d;
	}
	return std::sqrt(sum);
}
#else
using point = double;
static double distance(const point& a, const point& b) { return std::abs(a - b); }
#endif

int main(int, char** arguments) {
	std::ifstream file(arguments[1], std::ios::binary | std::ios::ate);
	std::vector<point> path(static_cast<size_t>(file.tellg()) / sizeof(point));
	file.seekg(0);
	file.read(reinterpret_cast<char*>(path.data()), static_cast<std::streamsize>(path.size() * sizeof(point)));
	const double p = std::atof(arguments[2]);
	for (int round = std::atoi(arguments[3]); round > 0; round--) {
		const auto begun = std::chrono::steady_clock::now();
		const auto found = p_var_ns::p_var(path.cbegin(), path.cend(), p, distance);
		const std::chrono::duration<double> taken = std::chrono::steady_clock::now() - begun;
		std::printf("%.17g %.9f\n", found.value, taken.count());
	}
}
