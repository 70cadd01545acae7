package enclosure

import (
	"encoding/csv"
	"math"
	"math/big"
	"os"
	"strconv"
	"testing"

	"github.com/deeplimit/deeplimit/activation"
)

// TestDerivatives wants numbers of 45 digits, by ball arithmetic of another program, inside, and intervals of a few units.
func TestDerivatives(t *testing.T) {
	file, err := os.Open("testdata/derivatives.csv")
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	rows, err := csv.NewReader(file).ReadAll()
	if err != nil {
		t.Fatal(err)
	}
	widest := map[string]float64{}
	for _, row := range rows[1:] {
		z, err := strconv.ParseFloat(row[1], 64)
		if err != nil {
			t.Fatal(err)
		}
		value, first, second, ok := Derivatives(row[0], z)
		if !ok {
			t.Fatalf("%s is not known", row[0])
		}
		for i, x := range []Interval{value, first, second} {
			want, _, err := big.ParseFloat(row[2+i], 10, 300, big.ToNearestEven)
			if err != nil {
				t.Fatal(err)
			}
			if big.NewFloat(x.Lo).Cmp(want) > 0 || big.NewFloat(x.Hi).Cmp(want) < 0 {
				t.Errorf("%s, derivative %d at %g: got [%v, %v], want %s inside", row[0], i, z, x.Lo, x.Hi, row[2+i])
			}
			widest[row[0]] = max(widest[row[0]], (x.Hi-x.Lo)/max(1, math.Abs(z))*0x1p53)
		}
	}
	for _, name := range activation.Names() {
		f, _ := activation.ByName(name)
		if most, tried := widest[name]; f.Smoothness() >= 2 && name != "identity" && !(tried && most <= 1000) {
			t.Errorf("%s: widest interval is of %g units, tried %t", name, most, tried)
		}
	}
	t.Logf("widest in units of rounding: %v", widest)
}

// TestLibrary wants the program's activations within some units of what is proved, so that certificates can rest on them.
func TestLibrary(t *testing.T) {
	for _, name := range activation.Names() {
		f, _ := activation.ByName(name)
		if _, _, _, ok := Derivatives(name, 0); !ok {
			if f.Smoothness() >= 2 {
				t.Errorf("%s is not known", name)
			}
			continue
		}
		for z := -40.0; z <= 40; z += 0.0371 {
			value, first, second := f.Derivatives(z)
			v, d, s, _ := Derivatives(name, z)
			if got := max(v.Distance(value), d.Distance(first), s.Distance(second)); !(got <= 1000*0x1p-53*max(1, math.Abs(z))) {
				t.Fatalf("%s at %g is %g off", name, z, got)
			}
		}
	}
}

// TestUnknown wants nothing said of arguments that are not finite, or too large for a sine.
func TestUnknown(t *testing.T) {
	for _, z := range []float64{math.NaN(), math.Inf(1), math.Inf(-1)} {
		if _, _, _, ok := Derivatives("tanh", z); ok {
			t.Errorf("tanh of %g is known", z)
		}
	}
	if v, _, _, _ := Derivatives("sin", 1e7); v != everything || !math.IsInf(v.Distance(0), 1) {
		t.Errorf("sin of 1e7 is %v", v)
	}
	if _, _, _, ok := Derivatives("relu", 1); ok {
		t.Error("relu is known")
	}
}

func BenchmarkDerivatives(b *testing.B) {
	for _, name := range []string{"tanh", "gelu"} {
		b.Run(name, func(b *testing.B) {
			z := 0.0
			for b.Loop() {
				z = math.Mod(z+0.37, 3)
				Derivatives(name, z)
			}
		})
	}
}

// TestAbove holds it to math.Nextafter.
func TestAbove(t *testing.T) {
	for _, x := range []float64{0, math.Copysign(0, -1), 1, -1, 5e-324, -5e-324, math.MaxFloat64, -math.MaxFloat64, math.Inf(1), math.Inf(-1), 0x1p-1022, -0x1p-1022} {
		if got, want := above(x), math.Nextafter(x, math.Inf(1)); got != want {
			t.Errorf("%g: got %g, want %g", x, got, want)
		}
	}
}
