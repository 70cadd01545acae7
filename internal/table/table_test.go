package table

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// readAll reads a table whose columns at text are classes.
func readAll(s string, o Options, text ...int) (*Table, error) {
	r, err := NewReader(strings.NewReader(s), o)
	if err != nil {
		return nil, err
	}
	t, err := r.Read(text...)
	if err == nil && t.Counts && len(t.Columns) > 1 {
		return nil, r.AskIndex()
	}
	return t, err
}

func header(names ...string) []string { return names }

func TestRead(t *testing.T) {
	yes, no := true, false
	for _, test := range []struct {
		name, text string
		options    Options
		header     []string
		index      []string
		numbers    []float64
		classes    []int // columns of text
	}{
		{name: "plain", text: "1.5,2\n3,4\n", numbers: []float64{1.5, 2, 3, 4}},
		{name: "names", text: "a,b\n1,2\n3,4\n", header: header("a", "b"), numbers: []float64{1, 2, 3, 4}},

		// Names that are numbers.
		{
			name: "pandas default names", text: "0,1\n0.33,1.1\n-0.002,0.83\n-1.09,1.64\n",
			header: header("0", "1"), numbers: []float64{0.33, 1.1, -0.002, 0.83, -1.09, 1.64},
		},
		{
			name: "pandas default names, growing", text: "0,1,2\n0.5,1.5,2.0\n1.5,2.5,3.5\n2.5,3.0,4.5\n",
			header: header("0", "1", "2"), numbers: []float64{0.5, 1.5, 2, 1.5, 2.5, 3.5, 2.5, 3, 4.5},
		},
		{
			name: "pandas default names and a column of integers", text: "0,1,2\n0.5,1.25,0\n1.75,2.5,1\n-2.5,3.5,0\n",
			header: header("0", "1", "2"), numbers: []float64{0.5, 1.25, 0, 1.75, 2.5, 1, -2.5, 3.5, 0},
		},
		{
			name: "names from 1", text: "1;2;3\n0.5;1.5;2.0\n1.5;-2.5;3.5\n",
			header: header("1", "2", "3"), numbers: []float64{.5, 1.5, 2, 1.5, -2.5, 3.5},
		},
		{
			name: "pandas default names with index", text: ",0,1\n0,5,6\n1,7,8\n2,9,9\n",
			header: header("", "0", "1"), index: []string{""}, numbers: []float64{5, 6, 7, 8, 9, 9},
		},
		{
			name: "one column called 0", text: "0\n0.50\n-1.25\n",
			header: header("0"), numbers: []float64{.5, -1.25},
		},
		{
			name: "quoted years", text: "\"2019\";\"2020\"\n5;7\n6;8\n",
			header: header("2019", "2020"), numbers: []float64{5, 7, 6, 8},
		},
		{
			name: "years, said", text: "2019;2020;2021\n5;7;8\n6;8;9\n", options: Options{Header: &yes},
			header: header("2019", "2020", "2021"), numbers: []float64{5, 7, 8, 6, 8, 9},
		},
		{
			name: "a label and counted pixels", text: "label,0,1,2\n7,0,255,3\n8,1,2,3\n",
			header: header("label", "0", "1", "2"), numbers: []float64{7, 0, 255, 3, 8, 1, 2, 3},
		},
		{
			name: "pixels by row and column", text: "label,0x0,0x1,1x0\n7,0,255,3\n8,1,2,3\n",
			header: header("label", "0x0", "0x1", "1x0"), numbers: []float64{7, 0, 255, 3, 8, 1, 2, 3},
		},
		{
			name: "counted columns and a class", text: "0,1,2,y\n5.1,3.5,1.4,setosa\n4.9,3.0,1.4,virginica\n",
			header: header("0", "1", "2", "y"), numbers: []float64{5.1, 3.5, 1.4, 4.9, 3, 1.4}, classes: []int{3},
		},

		// First rows that are none.
		{name: "integers, said", text: "0,1,2\n3,4,5\n", options: Options{Header: &no}, numbers: []float64{0, 1, 2, 3, 4, 5}},
		{name: "integers that do not count", text: "0,0\n3,4\n3,5\n-1,-2\n", numbers: []float64{0, 0, 3, 4, 3, 5, -1, -2}},
		{name: "rows of equal steps", text: "4,5,6,7\n1,3,5,7\n9,8,7,6\n", numbers: []float64{4, 5, 6, 7, 1, 3, 5, 7, 9, 8, 7, 6}},
		{name: "a path of integers", text: "0\n1\n0\n1\n", numbers: []float64{0, 1, 0, 1}},
		{name: "a path that counts", text: "0\n1\n2\n3\n", numbers: []float64{0, 1, 2, 3}},
		{name: "a path from 1", text: "1\n1.25\n0.75\n", numbers: []float64{1, 1.25, .75}},
		{name: "a path from the origin", text: "0,0\n0.5,0.3\n-0.25,0.7\n", numbers: []float64{0, 0, .5, .3, -.25, .7}},
		{name: "rows in equal steps", text: "0.0,0.5,1.0\n1.0,2.0,3.0\n0.5,0.5,0.5\n", numbers: []float64{0, .5, 1, 1, 2, 3, .5, .5, .5}},
		{name: "integers that rise", text: "1,7\n3,2\n4,5\n8,9\n", options: Options{Decimal: "."}, numbers: []float64{1, 7, 3, 2, 4, 5, 8, 9}},
		{name: "names twice", text: "a,a\n1,0.5\n3,0.25\n", header: header("a", "a"), numbers: []float64{1, .5, 3, .25}},
		{name: "1, 2 and a class", text: "1,2,b\n2,5,a\n0,4,b\n", numbers: []float64{1, 2, 2, 5, 0, 4}, classes: []int{2}},

		// Names of rows.
		{name: "pandas index", text: ",a,b\n0,5.5,6\n1,7,8\n2,9,9\n", header: header("", "a", "b"), index: []string{""}, numbers: []float64{5.5, 6, 7, 8, 9, 9}},
		{
			name: "pandas index written twice", text: ",Unnamed: 0,a\n0,0,5.5\n1,1,7\n2,2,9\n",
			header: header("", "Unnamed: 0", "a"), index: []string{"", "Unnamed: 0"}, numbers: []float64{5.5, 7, 9},
		},
		{
			name: "index read as a column", text: "Unnamed: 0,a,b\n1,5.5,6\n2,7,8\n3,9,9\n",
			header: header("Unnamed: 0", "a", "b"), index: []string{"Unnamed: 0"}, numbers: []float64{5.5, 6, 7, 8, 9, 9},
		},
		{
			name: "shuffled rows", text: ",a,b\n17,5.5,6\n3,7,8\n11,9,9\n",
			header: header("", "a", "b"), index: []string{""}, numbers: []float64{5.5, 6, 7, 8, 9, 9},
		},
		{
			name: "dates", text: ",a,b\n2020-01-01,5.5,6\n2020-01-02,7,8\n",
			header: header("", "a", "b"), index: []string{""}, numbers: []float64{5.5, 6, 7, 8},
		},
		{
			name: "write.csv of R", text: "\"\",\"x\",\"y\"\n\"1\",0.5,3\n\"2\",0.25,4\n\"3\",1,5\n",
			header: header("", "x", "y"), index: []string{""}, numbers: []float64{.5, 3, .25, 4, 1, 5},
		},
		{
			name: "write.table of R", text: "\"x\" \"y\"\n\"1\" 0.5 3\n\"2\" 0.25 4\n\"3\" 1 5\n",
			header: header("", "x", "y"), index: []string{""}, numbers: []float64{.5, 3, .25, 4, 1, 5},
		},
		{
			name: "write.table of R with words", text: "mpg cyl\n\"Mazda RX4\" 21.0 6\n\"Datsun 710\" 22.8 4\n",
			header: header("", "mpg", "cyl"), index: []string{""}, numbers: []float64{21, 6, 22.8, 4},
		},
		{name: "index by name", text: "a,id\n5,1\n7,2\n", options: Options{Index: "id"}, header: header("a", "id"), index: []string{"id"}, numbers: []float64{5, 7}},
		{name: "first column as index", text: "0,5.5\n1,7\n2,9\n", options: Options{Index: "true"}, index: []string{"1"}, numbers: []float64{5.5, 7, 9}},
		{name: "no index", text: ",a\n0,5.5\n1,7\n2,9\n", options: Options{Index: "false"}, header: header("", "a"), numbers: []float64{0, 5.5, 1, 7, 2, 9}},
		{name: "a name that counts", text: "t,a\n0,5.5\n1,7\n2,9\n", header: header("t", "a"), numbers: []float64{0, 5.5, 1, 7, 2, 9}},

		// Dialects.
		{name: "semicolons", text: "x;y\n1.5;2\n3;4\n", header: header("x", "y"), numbers: []float64{1.5, 2, 3, 4}},
		{name: "decimal comma", text: "1,5;2,25\n3,5;4\n", numbers: []float64{1.5, 2.25, 3.5, 4}},
		{name: "decimal comma, tabs", text: "x\ty\n1,5\t2,25\n3,5\t4\n", header: header("x", "y"), numbers: []float64{1.5, 2.25, 3.5, 4}},
		{name: "decimal comma, blanks", text: "1,5 2,25\n3,5 4\n", numbers: []float64{1.5, 2.25, 3.5, 4}},
		{name: "decimal comma, quoted", text: "\"1,5\",\"2,25\"\n\"3,5\",\"4\"\n", numbers: []float64{1.5, 2.25, 3.5, 4}},
		{name: "decimal comma, one column", text: "x\n1,5\n2,25\n0,75\n", header: header("x"), numbers: []float64{1.5, 2.25, .75}},
		{name: "decimal comma, said", text: "1,5\n2,5\n", options: Options{Decimal: ","}, numbers: []float64{1.5, 2.5}},
		{name: "pairs, said", text: "1,5\n2,5\n", options: Options{Decimal: "."}, numbers: []float64{1, 5, 2, 5}},
		{name: "thousandths, said", text: "1,234;5\n2,345;6\n", options: Options{Decimal: ","}, numbers: []float64{1.234, 5, 2.345, 6}},
		{name: "tabs", text: "1.5\t2\n3\t4\n", numbers: []float64{1.5, 2, 3, 4}},
		{name: "aligned blanks", text: "  x     y\n 1.5    2 \n -3  4e-1\n", header: header("x", "y"), numbers: []float64{1.5, 2, -3, .4}},
		{name: "blanks behind commas", text: "x, y\n1.5, 2\n3, 4\n", header: header("x", "y"), numbers: []float64{1.5, 2, 3, 4}},
		{name: "byte-order mark and CRLF", text: "\ufeffa,b\r\n1,2.5\r\n\r\n4,5e0\r\n", header: header("a", "b"), numbers: []float64{1, 2.5, 4, 5}},
		{name: "CR alone", text: "a,b\r1,2.5\r4,5", header: header("a", "b"), numbers: []float64{1, 2.5, 4, 5}},
		{name: "trailing delimiters", text: "a,b,\n1,2,\n3,4,\n", header: header("a", "b"), numbers: []float64{1, 2, 3, 4}},
		{name: "trailing delimiters below a header", text: "a,b\n1,2,\n3,4,\n", header: header("a", "b"), numbers: []float64{1, 2, 3, 4}},
		{name: "trailing delimiter of a header", text: "a,b,\n1,2\n3,4\n", header: header("a", "b"), numbers: []float64{1, 2, 3, 4}},
		{name: "comments", text: "# don't, split\na,b\n1,2\n# 9,9\n3,4\n", header: header("a", "b"), numbers: []float64{1, 2, 3, 4}},
		{name: "header of numpy.savetxt", text: "# x y\n1.0e+00 2.0e+00\n3.0e+00 4.0e+00\n", numbers: []float64{1, 2, 3, 4}},
		{name: "classes that begin with #", text: "c,x\nb,1\n#a,2\nb,3\n", header: header("c", "x"), numbers: []float64{1, 2, 3}, classes: []int{0}},
		{name: "quoted numbers", text: "\"a\",\"b\"\n\"1\",\"2\"\n\"3\",\"4\"\n", header: header("a", "b"), numbers: []float64{1, 2, 3, 4}},
		{name: "a line break in a name", text: "\"a\nb\",c\n1,2\n3,4\n", header: header("a\nb", "c"), numbers: []float64{1, 2, 3, 4}},
		{name: "sep= of Excel", text: "sep=;\r\nx;y\r\n1,5;2\r\n", header: header("x", "y"), numbers: []float64{1.5, 2}},
		{name: "classes with other delimiters", text: "5,2,a;b\n3,4,c;d\n", numbers: []float64{5, 2, 3, 4}, classes: []int{2}},
		{name: "forms of numbers", text: "+1,.5\n1.,-2E+3\n1e-308,0007\n", numbers: []float64{1, .5, 1, -2000, 1e-308, 7}},
		{name: "one row", text: "1.5,2.5", numbers: []float64{1.5, 2.5}},
	} {
		t.Run(test.name, func(t *testing.T) {
			got, err := readAll(test.text, test.options, test.classes...)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(test.numbers, got.Numbers); diff != "" {
				t.Errorf("numbers (-want +got):\n%s", diff)
			}
			if diff := cmp.Diff(test.header, got.Reading.Header); diff != "" {
				t.Errorf("header (-want +got):\n%s", diff)
			}
			if diff := cmp.Diff(test.index, got.Reading.Index); diff != "" {
				t.Errorf("index (-want +got):\n%s", diff)
			}
		})
	}
}

func TestRefused(t *testing.T) {
	const askHeader = "; want header: true or header: false to say so"
	const askIndex = "; want index: true or index: false to say so"
	for _, test := range []struct {
		text, want string
		options    Options
	}{
		// The first row.
		{text: "0,1,2\n3,4,5\n6,7,8\n", want: "line 1: got a first row 0, 1, 2, which may be names or numbers" + askHeader},
		{text: "1,2,3\n4,5,6\n", want: "line 1: got a first row 1, 2, 3, which may be names or numbers" + askHeader},
		{text: "0,1\n0.1,1.05\n0.2,1.1\n0.3,0.9\n", want: "line 1: got a first row 0, 1, which may be names or numbers" + askHeader},
		{text: "0\n0.1\n-0.25\n", want: "line 1: got a first row 0, which may be names or numbers" + askHeader},
		{text: "0,1\n0.5,1\n0.7,0\n", want: "line 1: got a first row 0, 1, which may be names or numbers" + askHeader},
		{text: "2019;2020;2021\n5;7;8\n6;8;9\n", want: "line 1: got a first row 2019, 2020, 2021, which may be names or numbers" + askHeader},
		{text: "2019,2020\n0.5,0.7\n0.6,0.8\n", want: "line 1: got a first row 2019, 2020, which may be names or numbers" + askHeader},
		{text: "400,410,420\n0.5,0.75,0.8\n0.6,0.8,0.9\n", want: "line 1: got a first row 400, 410, 420, which may be names or numbers" + askHeader},
		{text: "400.5,401.0,401.5\n1,3,2\n2,4,5\n", want: "line 1: got a first row 400.5, 401.0, 401.5, which may be names or numbers" + askHeader},
		{text: "0.0,0.1,0.2,0.3\n0.05,0.2,0.1,0.25\n0.3,0.1,0.0,0.15\n", want: "line 1: got a first row 0.0, 0.1, 0.2, 0.3, which may be names or numbers" + askHeader},
		{text: "3,2,1,0\n0.5,0.75,0.8,0.1\n0.6,0.8,0.9,0.3\n", want: "line 1: got a first row 3, 2, 1, 0, which may be names or numbers" + askHeader},
		{text: "0.0,1.0,2.0\n0.5,0.75,0.8\n0.6,0.8,0.9\n", want: "line 1: got a first row 0.0, 1.0, 2.0, which may be names or numbers" + askHeader},
		{text: "0,0.1,0.2\n0.5,0.75,0.8\n0.6,0.8,0.9\n", want: "line 1: got a first row 0, 0.1, 0.2, which may be names or numbers" + askHeader},
		{text: "0.01,0.1,1\n0.5,0.75,0.8\n0.6,0.8,0.9\n", want: "line 1: got a first row 0.01, 0.1, 1, which may be names or numbers" + askHeader},
		{text: "5,6,7,8\n2,3,9,5\n8,1,7,9\n", want: "line 1: got a first row 5, 6, 7, 8, which may be names or numbers" + askHeader},
		{text: "x,x,y\n0,1,0\n0.5,0.75,0.8\n0.6,0.8,0.9\n", want: "line 2: got integers below names that the header holds twice, which may be names, too: want one row of names, each of them once"},
		{text: "country,2019,2020\nat,5,6\nde,7,9\n", want: "line 1: got a first row country, 2019, 2020, which may be names or numbers" + askHeader},
		{text: "nan,nan\n1,2\n", want: `line 1, column 1: got "nan", want a finite number (a missing value: fill it in or leave its row out); if the first row holds names: header: true`},
		{text: "?,2\n1,2\n", want: `line 1, column 1: got "?", want a finite number (a missing value: fill it in or leave its row out); if the first row holds names: header: true`},
		{text: "0x1p4,0x1p5\n1,2\n", want: `line 1, column 1: got "0x1p4", want a finite number; if the first row holds names: header: true`},
		{text: "1_000,2_000\n1,2\n", want: `line 1, column 1: got "1_000", want a finite number (separators of thousands are not read); if the first row holds names: header: true`},
		{text: "year,2010\n1,2\n", want: `line 1, column 1: got "year", want a finite number; if the first row holds names: header: true; if the column names the rows: index: true`},

		// The first column.
		{text: "0,5.5\n1,7\n2,9\n", want: "the first column numbers the rows and there is no header: it may be an index or numbers" + askIndex},
		{text: "88,5.5\n89,7\n90,9\n91,2\n", want: "the first column numbers the rows and there is no header: it may be an index or numbers" + askIndex},
		{text: "4,5.5\n3,7\n2,9\n1,2\n", want: "the first column numbers the rows and there is no header: it may be an index or numbers" + askIndex},
		{text: "2,5.5\n0,7\n3,9\n1,2\n", want: "the first column numbers the rows and there is no header: it may be an index or numbers" + askIndex},
		{text: "0,5.5\n1,7\n4,9\n9,2\n", want: "the first column numbers the rows and there is no header: it may be an index or numbers" + askIndex},
		{text: ",x,x\n,0,1\n0,5.5,6\n1,7,8\n", want: "column 1 has no name and is empty in a row below the header, which may hold names, too: want one row of names"},
		{text: ",a\n0.0,5\n0.1,6\n0.2,7\n", want: `column 1 has no name and holds "0.0": it may be an index or numbers` + askIndex},
		{text: ",a\n0,5\n1,6\n0,7\n", want: `column 1 has no name and holds "0" twice: it may be an index or numbers` + askIndex},
		{text: "a,b\n1.5,2,3\n4,5,6\n", want: "the header is one shorter than the rows: want a name for each column, or index: true if the first names rows"},
		{text: "a,b\n9,2,3\n4,5,6\n", want: "the header is one shorter than the rows: want a name for each column, or index: true if the first names rows"},
		{text: "a,b\n9,2,3\n4,5,6\n", options: Options{Index: "false"}, want: "the header is one shorter than the rows: want a name for each column, or the index that the first may be"},
		{text: "a\n0\n1\n", options: Options{Index: "true"}, want: "index: got the only column, want another one with numbers"},
		{text: "a,b\n0,1\n", options: Options{Index: "c"}, want: `index: got "c", want one of the header: a, b`},
		{text: "date,x\n2020-01-01,5\n", want: `line 2, column 1: got "2020-01-01", want a finite number; if the column names the rows: index: true`},

		// Dialects.
		{text: "1,5\n2,5\n", want: `got rows with one comma, which are pairs of integers or numbers with a decimal comma; want decimal: "." or decimal: "," to say so`},
		{text: "0,0\n3,4\n3,5\n", want: `got rows with one comma, which are pairs of integers or numbers with a decimal comma; want decimal: "." or decimal: "," to say so`},
		{text: "1,5\n2\n3,25\n", want: `got rows with a comma and rows without, which are decimal commas or a missing column; want decimal: "," or delimiter: "," to say so`},
		{text: "1,234;2\n5,678;3\n", want: `line 1, column 1: got "1,234", which has a separator of thousands or a decimal comma; want decimal: "." or decimal: "," to say so`},
		{text: "1,234;2\n5,678;3\n", options: Options{Decimal: "."}, want: `line 1, column 1: got "1,234", want a finite number (separators of thousands are not read); if the first row holds names: header: true`},
		{text: "1,5;2.5\n3;4\n", want: `line 1, column 1: got "1,5" with a decimal comma, and in line 1, column 2: "2.5" with a point; want decimal: "." or decimal: "," to say so`},
		{text: "1.234,5;2\n3;4\n", want: `line 1, column 1: got "1.234,5", which has a separator of thousands or a decimal comma; want decimal: "." or decimal: "," to say so`},
		{text: "1.5,2\n\"1,000\",4\n", want: `line 2, column 1: got "1,000", which has a separator of thousands or a decimal comma; want decimal: "." or decimal: "," to say so`},
		{text: "1,2\n", options: Options{Delimiter: "|"}, want: `delimiter: got "|", want one of , ; tab blank none`},
		{text: "1,2\n", options: Options{Decimal: "'"}, want: `decimal: got "'", want . or ,`},

		// Damage.
		{text: "", want: "got an empty file, want rows of numbers"},
		{text: "\n \n# x\n", want: "got an empty file, want rows of numbers"},
		{text: "a,b\n", want: "got no rows below the header, want rows of numbers"},
		{text: "1.5,2\n3\n", want: "line 2: got 1 column, want 2"},
		{text: "a,b\n3\n4\n", want: "line 2: got 1 column, want 2"},
		{text: "1,2,3\n4,9,6\n7,8\n", want: "line 3: got 2 columns, want 3"},
		{text: "a,b\n1,2\n\n3,4,5\n", want: "line 4: got 3 columns, want 2"},
		{text: "1,2\n3,4,5\n6,7,8\n", want: "line 1: got 2 columns, want 3, as in the rows below"},
		{text: "1.5,2\n3,x\n", want: `line 2, column 2: got "x", want a finite number`},
		{text: "1.5,2\n3,\n", want: `line 2, column 2: got "", want a finite number (a missing value: fill it in or leave its row out)`},
		{text: "1.5,2\n3,1e999\n", want: `line 2, column 2: got "1e999", want a finite number (it is beyond the range of float64)`},
		{text: "1.5,2\n3,1e-999\n", want: `line 2, column 2: got "1e-999", want a finite number (it is below the range of float64)`},
		{text: "1.5,2\n3,1_000\n", want: `line 2, column 2: got "1_000", want a finite number (separators of thousands are not read)`},
		{text: "1.5,2\n3,0x1p4\n", want: `line 2, column 2: got "0x1p4", want a finite number`},
		{text: "1.5,2\n3,-inf\n", want: `line 2, column 2: got "-inf", want a finite number (a missing value: fill it in or leave its row out)`},
		{text: "1.5,2\n3,\"4\n", want: "line 2: got a field that begins with a quote and does not end with one"},
		{text: "1.5,2\n3,\"4\"5\n", want: `line 2: got '5' behind the quote that ends a field, want a quote inside a field to be written twice`},
		{text: "\xff\xfe1\x00,\x002\x00", want: "got text in UTF-16, want UTF-8 (in Excel: CSV UTF-8)"},
		{text: "1.5,2\n3\x00,4\n", want: "line 2: got a byte 0, want text in UTF-8 (UTF-16 has such)"},
	} {
		_, err := readAll(test.text, test.options)
		if err == nil || err.Error() != test.want {
			t.Errorf("%q:\n got %v\nwant %s", test.text, err, test.want)
		}
	}
}
