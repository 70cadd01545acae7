//go:build browser

package browser

// marks checks the modules of the page that place marks on axes and typeset formulas.
func marks(p *page) {
	t := p.t
	// Over any range at least two marks have a text, all lie inside, and no two say the same.
	for _, wrong := range eval[[]string](p, `import("/assets/js/ticks.js").then(({ linearTicks, logTicks, depthTicks }) => {
		const wrong = [];
		const check = (what, marks, low, high, most) => {
			const texts = marks.filter((m) => m.text).map((m) => m.text);
			if (texts.length < 2 || texts.length > most || new Set(texts).size < texts.length || marks.some((m) => !(m.at >= low * (1 - 1e-6) - 1e-12 && m.at <= high * (1 + 1e-6) + 1e-12))) wrong.push(what + " " + low + " to " + high + ": " + texts.join(", "));
		};
		let seed = 1;
		const random = () => (seed = (seed * 48271) % 2147483647) / 2147483647;
		for (let i = 0; i < 3000; i++) {
			const low = 10 ** (40 * random() - 20), high = low * 10 ** (0.01 + 20 * random() ** 3), want = 2 + Math.floor(6 * random());
			check("log, " + want, logTicks(low, high, want), low, high, 3 * want + 3);
			const a = (random() - 0.5) * 10 ** (6 * random() - 3), b = a + 10 ** (4 * random() - 2);
			if (a < 0) check("linear, " + want, linearTicks(a, b, want).map((m) => ({ ...m, at: m.at - a })), 0, b - a, 3 * want + 3);
		}
		const depths = depthTicks([2, 4, 8, 12, 16, 20, 24, 1024], 1.6, 1280, 0.1);
		if (depths.map((m) => m.text).join(" ") !== "2 4 8   16  1024" && depths.filter((m) => m.text).some((m, i, all) => i && Math.log(m.at / all[i - 1].at) / Math.log(800) < 0.1) || depths.length !== 8 || depths.at(-1).text !== "1024") wrong.push("depths: " + depths.map((m) => m.text).join("|"));
		return wrong.slice(0, 20);
	})`) {
		t.Errorf("marks of %s", wrong)
	}
	for text, want := range map[string]string{
		"V_2 of L^β A": "V<sub>2</sub> of L<sup>β</sup> A",
		"max_k ‖A_k+1 − A_k‖_F falls as L^b":       "max<sub>k</sub> ‖A<sub>k+1</sub> − A<sub>k</sub>‖<sub>F</sub> falls as L<sup>b</sup>",
		"V_1.5 and ρ^t, my_set of a_long_name":     "V<sub>1.5</sub> and ρ<sup>t</sup>, my_set of a_long_name",
		"test_accuracy of data_1 < 2^10, b = -0.5": "test_accuracy of data_1 &lt; 2^10, b = −0.5",
	} {
		if got := eval[string](p, "import(\"/assets/js/formula.js\").then((m) => { const d = document.createElement(\"div\"); d.append(...m.prose(`"+text+"`)); return d.innerHTML; })"); got != want {
			t.Errorf("%s: got %s, want %s", text, got, want)
		}
	}
	const symbol, html = "max$_k ‖A_{k+1} − A_k‖_F^2$ of $L^β A$", "max<sub><i>k</i></sub> ‖<i>A</i><sub><i>k</i>+1</sub> − <i>A</i><sub><i>k</i></sub>‖<sub><i>F</i></sub><sup>2</sup> of <i>L</i><sup><i>β</i></sup> <i>A</i>"
	if got := eval[string](p, "import(\"/assets/js/formula.js\").then((m) => { const d = document.createElement(\"div\"); d.append(...m.formula(`"+symbol+"`).flat(9)); return d.innerHTML; })"); got != html {
		t.Errorf("%s: got %s, want %s", symbol, got, html)
	}
}
