// Package coef holds the coefficients of the kernels' approximations, lowest
// degree first, for the portable code and for the generator of the assembly.
//
// Each set is the minimax fit (Remez exchange in 60-digit arithmetic) of the
// function and interval named, for the relative error of what is computed from
// it, rounded to the element type; fit.py prints them. The bound stated is that before
// rounding.
package coef

import "math"

// Ln2 in two parts: k·Hi is exact for the |k| < 1100 (float64) and < 200
// (float32) that occur.
const (
	Ln2Hi64 = 6.93147180369123816490e-01
	Ln2Lo64 = 1.90821492927058770002e-10
	Ln2Hi32 = 0.693145751953125
	Ln2Lo32 = 1.42860676533018704e-06
)

// Half of ln 2: the nearest float64, and what it lacks.
const (
	HalfLn2   = math.Ln2 / 2
	HalfLn2Lo = 1.1595234069231498e-17
)

// Exp64 is q of eʳ − 1 = r + r² q(r) on |r| ≤ ln2/2; error 0.17·2⁻⁵³.
var Exp64 = [...]float64{
	0.5000000000000006,
	0.16666666666666685,
	0.04166666666657353,
	0.008333333333314529,
	0.0013888888932411729,
	0.00019841269903158175,
	2.4801504403921455e-05,
	2.7557227845030137e-06,
	2.7626344038652024e-07,
	2.5114506358356646e-08,
}

// Exp32 is q of eʳ − 1 = r + r² q(r) on |r| ≤ ln2/2; error 0.23·2⁻²⁴.
var Exp32 = [...]float32{
	0.5,
	0.166665435,
	0.0416662805,
	0.00836659223,
	0.00139464682,
}

// TanhP64 and TanhP32 are P of tanh r = r + r³ P(r²) on |r| ≤ ln2/4; errors 0.037·2⁻⁵³ and
// 0.92·2⁻²⁴.
var (
	TanhP64 = [...]float64{
		-0.3333333333333249,
		0.1333333333278405,
		-0.05396825278226394,
		0.021869370717079215,
		-0.008857308408248563,
		0.003444828799417261,
	}
	TanhP32 = [...]float32{
		-0.33331275,
		0.131107032,
	}
)

// MillsP64 and MillsQ64 are P and Q of Φ(−y) e^{y²/2} = P(y)/Q(y), the Mills
// ratio over √(2π), on 0 ≤ y ≤ 37.6; error 0.008·2⁻⁵³, all coefficients positive.
var (
	MillsP64 = [...]float64{
		0.5,
		0.8269587274441612,
		0.6781042485125467,
		0.3561856897006295,
		0.13147873099778054,
		0.03547511745085375,
		0.007075985650163994,
		0.0010315359178499513,
		0.00010558265017628345,
		6.899891330392585e-06,
		2.2130992732325119e-07,
	}
	MillsQ64 = [...]float64{
		1,
		2.451802015691188,
		2.8124634714904295,
		1.9964530735476365,
		0.976749801489065,
		0.3467813971739978,
		0.09147401893405063,
		0.018000412664584388,
		0.002602972560905506,
		0.0002652111979600937,
		1.72954627006773e-05,
		5.547417212848445e-07,
	}
)

// MillsP32 and MillsQ32 are the same on 0 ≤ y ≤ 12.6; error 0.08·2⁻²⁴.
var (
	MillsP32 = [...]float32{
		0.5,
		0.433986098,
		0.180056766,
		0.039565213,
		0.00395857729,
	}
	MillsQ32 = [...]float32{
		1,
		1.66585708,
		1.18927145,
		0.461081862,
		0.099183321,
		0.00992252212,
	}
)

// Sin64 and Sin32 are P of sin r = r + r³ P(r²) on |r| ≤ π/2; errors below 0.004·2⁻⁵³ and 0.13·2⁻²⁴.
var (
	Sin64 = [...]float64{
		-0.16666666666666666,
		0.008333333333333212,
		-0.00019841269841215309,
		2.7557319212135775e-06,
		-2.5052106960539315e-08,
		1.6058943948333086e-10,
		-7.643097913817884e-13,
		2.722257156411069e-15,
	}
	Sin32 = [...]float32{
		-0.166666612,
		0.0083330879,
		-0.00019811104,
		2.60891306e-6,
	}
)

// Cos64 and Cos32 are P of cos r = 1 − r²/2 + r⁴ P(r²) on |r| ≤ π/2; absolute errors 0.0517·2⁻⁵³ and
// 0.00661·2⁻²⁴.
var (
	Cos64 = [...]float64{
		0.04166666666666583,
		-0.0013888888888830004,
		2.4801587285773786e-05,
		-2.7557317067407214e-07,
		2.0876592529440574e-09,
		-1.1463633622970076e-11,
		4.6161143090145854e-14,
	}
	Cos32 = [...]float32{
		0.0416666567,
		-0.00138885691,
		2.4769306e-5,
		-2.61938254e-7,
	}
)

// Log64 and Log32 are P of log(1 + f) = 2s + s³ P(s²) for s = f/(2 + f), −1/2 ≤ f ≤ 0; errors 0.012·2⁻⁵³ and
// 0.0767·2⁻²⁴.
var (
	Log64 = [...]float64{
		0.666666666666663,
		0.4000000000015845,
		0.28571428547691885,
		0.22222223980338368,
		0.18181743534009792,
		0.15386568585736304,
		0.1330085578890876,
		0.12107048075126262,
		0.08335775532941911,
		0.17026810329544154,
	}
	Log32 = [...]float32{
		0.666664124,
		0.400217563,
		0.279981166,
		0.280299276,
	}
)

// π in three parts, each the nearest number to what those before lack.
const (
	Pi64    = 3.141592653589793
	PiMid64 = 1.2246467991473532e-16
	PiLow64 = -2.9947698097183397e-33
	Pi32    = 3.1415927410125732
	PiMid32 = -8.742277657347586e-08
	PiLow32 = -3.4302490200117637e-15
	InvPi   = 0.318309886183790671537767526745
)

// Limits of the arguments.
const (
	// Tanh64 and Tanh32 bound |x|: tanh rounds to 1 from there on.
	Tanh64 = 20.0
	Tanh32 = 10.0
	// GELU64 and GELU32 bound |x|: beyond, Φ(−|x|) is taken as 0. There it is still a
	// normal number, so that no arithmetic runs into subnormals.
	GELU64 = 37.5
	GELU32 = 12.5
	// ExpBound64 and ExpBound32 bound |x| where e^−|x| is computed: it is a normal number down to there.
	ExpBound64 = 708.0
	ExpBound32 = 87.0
	// SinBound64 and SinBound32 bound |x|: neighbouring numbers are 1/2 and more apart from there on.
	SinBound64 = 0x1p52
	SinBound32 = 0x1p23
)

// InvSqrt2Pi is 1/√(2π), the density of the normal distribution at 0.
const InvSqrt2Pi = 0.398942280401432677939946059934

// Log2E is 1/ln 2.
const Log2E = 1.44269504088896340735992468100
