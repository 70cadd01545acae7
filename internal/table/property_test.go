package table

import (
	"fmt"
	"math"
	"regexp"
	"strconv"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"
)

// A writer writes a table as one program does.
type writer struct {
	name      string
	delimiter string
	decimal   string
	number    func(float64) string
	header    func(d int) []string // nil for none
	index     func(i int) string   // nil for none
	corner    bool                 // the index column has a header, of no name
	end       string               // of a line
}

// python writes floats with a point or an exponent, as repr does.
func python(v float64) string {
	text := strconv.FormatFloat(v, 'g', -1, 64)
	if !strings.ContainsAny(text, ".e") {
		text += ".0"
	}
	return text
}

func shortest(v float64) string { return strconv.FormatFloat(v, 'g', 15, 64) }
func exponent(v float64) string { return strconv.FormatFloat(v, 'e', 18, 64) }

func counted(from int) func(d int) []string {
	return func(d int) []string {
		names := make([]string, d)
		for j := range names {
			names[j] = strconv.Itoa(from + j)
		}
		return names
	}
}

func named(format string) func(d int) []string {
	return func(d int) []string {
		names := make([]string, d)
		for j := range names {
			names[j] = fmt.Sprintf(format, j+1)
		}
		return names
	}
}

func shuffled(i int) string { return strconv.Itoa((i*37 + 11) % 1009) }

var writers = []writer{
	{name: "pandas", delimiter: ",", number: python, header: named("x%d"), index: strconv.Itoa, corner: true},
	{name: "pandas, default names", delimiter: ",", number: python, header: counted(0), index: strconv.Itoa, corner: true},
	{name: "pandas, default names, no index", delimiter: ",", number: python, header: counted(0)},
	{name: "pandas, shuffled", delimiter: ",", number: python, header: named("x%d"), index: shuffled, corner: true},
	{name: "pandas, semicolons", delimiter: ";", decimal: ",", number: python, header: counted(0), index: strconv.Itoa, corner: true},
	{name: "write.csv", delimiter: ",", number: shortest, header: named(`"V%d"`), index: func(i int) string { return strconv.Quote(strconv.Itoa(i + 1)) }, corner: true},
	{name: "write.csv2", delimiter: ";", decimal: ",", number: shortest, header: named(`"V%d"`), index: func(i int) string { return strconv.Quote(strconv.Itoa(i + 1)) }, corner: true},
	{name: "write.table", delimiter: " ", number: shortest, header: named(`"%d"`), index: func(i int) string { return strconv.Quote(strconv.Itoa(i + 1)) }},
	{name: "numpy.savetxt", delimiter: " ", number: exponent},
	{name: "numpy.savetxt, commas", delimiter: ",", number: exponent},
	{name: "Excel", delimiter: ";", decimal: ",", number: shortest, header: named("x%d"), end: "\r\n"},
	{name: "MATLAB", delimiter: "\t", number: shortest, header: named("Var%d")},
}

// write returns the text of an (n,d) table.
func (w writer) write(x []float64, d int) string {
	end := w.end
	if end == "" {
		end = "\n"
	}
	var b strings.Builder
	if w.header != nil {
		cells := w.header(d)
		if w.corner {
			cells = append([]string{`""`}, cells...)
		}
		b.WriteString(strings.Join(cells, w.delimiter) + end)
	}
	for i := 0; i < len(x); i += d {
		var cells []string
		if w.index != nil {
			cells = append(cells, w.index(i/d))
		}
		for _, v := range x[i : i+d] {
			text := w.number(v)
			if w.decimal != "" {
				text = strings.Replace(text, ".", w.decimal, 1)
			}
			cells = append(cells, text)
		}
		b.WriteString(strings.Join(cells, w.delimiter) + end)
	}
	return b.String()
}

// TestWhatOthersWrite wants the numbers back from what programs write, or a question: never others.
func TestWhatOthersWrite(t *testing.T) {
	asked, total := map[string]int{}, map[string]int{}
	rapid.Check(t, func(t *rapid.T) {
		w := rapid.SampledFrom(writers).Draw(t, "writer")
		n, d := rapid.IntRange(3, 40).Draw(t, "n"), rapid.IntRange(2, 6).Draw(t, "d")
		x := make([]float64, n*d)
		whole := rapid.SliceOfN(rapid.Bool(), d, d).Draw(t, "integers") // columns of integers
		for k := range x {
			v := rapid.Float64Range(-100, 100).Draw(t, "x")
			x[k], _ = strconv.ParseFloat(shortest(v), 64)
			if whole[k%d] {
				x[k] = math.Round(v)
			}
		}
		text := w.write(x, d)
		total[w.name]++
		got, err := readAll(text, Options{})
		if err != nil {
			if !strings.Contains(err.Error(), " to say so") {
				t.Fatalf("%s: got %v, want the numbers or a question\n%s", w.name, err, text)
			}
			asked[w.name]++
			return
		}
		if diff := cmp.Diff(x, got.Numbers); diff != "" {
			t.Fatalf("%s: %s (-want +got):\n%s\n%s", w.name, got.Reading, diff, text)
		}
	})
	for name, n := range total {
		if asked[name] > n/4 {
			t.Errorf("%s: %d of %d tables are refused, want fewer than a quarter", name, asked[name], n)
		}
	}
	t.Logf("asked: %v of %v", asked, total)
}

// TestSaid wants no question where everything is said, and the same numbers as where it is found.
func TestSaid(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		w := rapid.SampledFrom(writers).Draw(t, "writer")
		n, d := rapid.IntRange(1, 10).Draw(t, "n"), rapid.IntRange(1, 5).Draw(t, "d")
		x := make([]float64, n*d)
		for k := range x {
			x[k] = float64(rapid.IntRange(0, 3).Draw(t, "x"))
		}
		header := w.header != nil
		o := Options{Header: &header, Index: "false", Delimiter: map[string]string{",": ",", ";": ";", "\t": "tab", " ": "blank"}[w.delimiter], Decimal: "."}
		if w.decimal != "" {
			o.Decimal = w.decimal
		}
		if w.index != nil {
			o.Index = "true"
		}
		got, err := readAll(w.write(x, d), o)
		if err != nil {
			t.Fatalf("%s: %v\n%s", w.name, err, w.write(x, d))
		}
		if diff := cmp.Diff(x, got.Numbers); diff != "" {
			t.Fatalf("%s (-want +got):\n%s", w.name, diff)
		}
	})
}

var (
	pointNumber = regexp.MustCompile(`^[+-]?([0-9]+(\.[0-9]*)?|\.[0-9]+)([eE][+-]?[0-9]+)?$`)
	commaNumber = regexp.MustCompile(`^[+-]?[0-9]+(,[0-9]+)?([eE][+-]?[0-9]+)?$`)
)

// TestNumber holds isNumber to its grammar, and parse to strconv where the form is that of a table.
func TestNumber(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		text := rapid.StringMatching(`[+-]?[0-9]{0,4}[.,]?[0-9]{0,4}([eE][+-]?[0-9]{0,3})?|[0-9xXpPinfNa_]{0,6}`).Draw(t, "text")
		for _, decimal := range []byte{'.', ','} {
			form := pointNumber.MatchString(text)
			if decimal == ',' {
				form = commaNumber.MatchString(text)
			}
			if got := isNumber(text, decimal); got != form {
				t.Fatalf("%q with %q: got %v, want %v", text, decimal, got, form)
			}
			v, _, ok := parse(text, decimal)
			if ok && !form {
				t.Fatalf("%q with %q: got %v, want no number", text, decimal, v)
			}
			if !ok {
				continue
			}
			want, err := strconv.ParseFloat(strings.Replace(text, ",", ".", 1), 64)
			if err != nil || v != want {
				t.Fatalf("%q with %q: got %v, want %v (%v)", text, decimal, v, want, err)
			}
		}
	})
}

func FuzzTable(f *testing.F) {
	for _, text := range []string{
		"1,2\n3,4\n", "a;b\n1;2\n", "x\ty\n1\tq\n2\tr\n", "\"a\n\",b\n1,2", "\ufeff1,2\n", "nan,inf\n", ",\n,\n", "# c\n,0,1\n0,1,2\n", "\"x\" \"y\"\n\"1\" 2 3\n", "sep=;\n1,5;2\n", "1,5\r2,5\r",
	} {
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text string) {
		r, err := NewReader(strings.NewReader(text), Options{Limit: 1 << 20})
		if err != nil {
			return
		}
		got, err := r.Read()
		if err != nil {
			return
		}
		if got.Rows < 1 || len(got.Numbers) != got.Rows*len(got.Columns) {
			t.Fatalf("got %d rows, %d columns, %d numbers", got.Rows, len(got.Columns), len(got.Numbers))
		}
		for _, v := range got.Numbers {
			if math.IsNaN(v) || math.IsInf(v, 0) {
				t.Fatalf("got %v", v)
			}
		}
	})
}
