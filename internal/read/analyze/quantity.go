package analyze

import "strings"

// A Quantity is a number of runs whose power law in depth a group may have. It has one
// name, used by every table, sentence and figure.
type Quantity struct {
	Key string // as JSON and CSV have it
	// Symbol is the formula, with {A} for the weights and Ā for L^β times them: letters are italic between dollar
	// signs, _ and ^ lower and raise the rune or {group} after them.
	Symbol string
	Name   string // in words
	Of     string // what has one value of it: a run, unless said otherwise
}

// The quantities by key, those of a weight path first. V_p has the key v_<p>.
var quantityList = []Quantity{
	{"max_frobenius", "max$_k ‖{A}_k‖_F$", "largest norm of a layer", "run"},
	{"displacement", "max$_k ‖{A}_k(T) − {A}_k(0)‖_F$", "largest displacement of a layer by training", "run"},
	{"max_increment", "max$_k ‖{A}_{k+1} − {A}_k‖_F$", "largest increment between layers", "run"},
	{"root_sum_squares", "$(Σ_k ‖{A}_k‖_F^2)^{1/2}$", "norm of all layers together", "run"},
	{"delta", "mean$_k |δ_k|$", "trained residual scale, the mean over layers", "run"},
	{"delta_max_frobenius", "max$_k |δ_k| ‖{A}_k‖_F$", "largest norm of a layer times its trained residual scale", "run"},
	{"displacement_variation", "$V_1$ of $L^β({A}(T) − {A}(0))$", "1-variation of the rescaled displacement", "run"},

	{"rescaled_increment", "max$_k ‖Ā_{k+1} − Ā_k‖_F$", "largest increment of the rescaled path", "run"},
	{"mean_increment", "$L$·mean$_k ‖Ā_{k+1} − Ā_k‖_F$", "depth times the mean increment of the rescaled path", "run"},
	{"mean_square", "$L$·mean$_k ‖Ā_{k+1} − Ā_k‖_F^2$", "depth times the mean squared increment of the rescaled path", "run"},
	{"noise_variation", "$L$/3·mean$_k ‖Ā_{k+1} − 2Ā_k + Ā_{k−1}‖_F^2$", "quadratic variation of the layer noise", "run"},
	{"peak", "max$_k$ / mean$_k$ of $‖Ā_{k+1} − Ā_k‖_F^2$", "largest squared increment over the mean one", "run"},

	{"integral", "sup$_s ‖∫_0^s (Ā − Ā′) du‖_F$", "integral distance between the paths of consecutive depths", "distance"},
	{"displacement_distance", "$L_2$ distance of displacements", "L² distance between the displacements of consecutive depths", "distance"},
	{"to_deepest", "$L_2$ distance of $L^β{A}$", "L² distance to the path of the deepest run", "distance"},

	{"excess_trend", "limit of the trend", "loss of the rebuilt trend above the trained loss, against the depth rebuilt at", "rebuilt network"},
	{"excess_redrawn", "limit, initial weights redrawn", "loss of the rebuilt network with redrawn initial weights above the trained loss, against the depth rebuilt at", "rebuilt network"},
	{"excess_trend_only", "own trend, at the trained depth", "loss of a run's own trend above the trained loss, against the trained depth", "run"},
}

// Displaced is the symbol of the displacement A(T) − A(0).
const Displaced = "U"

// QuantityOf returns the quantity with a key for weights of that name, A, V, W, b or c.
func QuantityOf(key, part string) Quantity {
	q := Quantity{Key: key, Symbol: key, Name: key, Of: "run"}
	if p, ok := strings.CutPrefix(key, "v_"); ok {
		q.Symbol, q.Name = "$V_{"+p+"}$ of $L^β {A}$", p+"-variation of the rescaled path"
	}
	for _, known := range quantityList {
		if known.Key == key {
			known.Symbol = strings.ReplaceAll(known.Symbol, "{A}", part)
			return known
		}
	}
	if of, ok := strings.CutPrefix(key, "displacement_"); ok {
		q = QuantityOf(of, Displaced)
		q.Key, q.Name = key, q.Name+" of the displacement"
	}
	q.Symbol = strings.ReplaceAll(q.Symbol, "{A}", part)
	return q
}

// Plain returns the symbol as text without markup, V_1 of L^β A.
func (q Quantity) Plain() string {
	return strings.NewReplacer("$", "", "{", "", "}", "").Replace(q.Symbol)
}
