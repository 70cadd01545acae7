package analyze

import "github.com/deeplimit/deeplimit/scaling"

// evidenceNames are the quantities behind the slopes of scaling.Evidence, by their names in
// JSON and in the order of tables.
var evidenceNames = []struct{ statistic, key string }{
	{"max_increment", "rescaled_increment"},
	{"peak", "peak"},
	{"variation", "mean_increment"},
	{"quadratic_variation", "mean_square"},
	{"noise_variation", "noise_variation"},
}

// slope returns the slope of a statistic by its name in JSON.
func (r *Regime) slope(statistic string) *Slope {
	e := &r.Evidence
	return map[string]*Slope{
		"max_increment": &e.MaxIncrement, "peak": &e.Peak, "variation": &e.Variation,
		"quadratic_variation": &e.QuadraticVariation, "noise_variation": &e.NoiseVariation,
	}[statistic]
}

// why says what the verdict on a path rests on, or between which kinds it cannot be told; at is where JSON has the path.
func (g *Group) why(at string, path *GroupPath) phrase {
	r := path.Regime
	of := func(kind scaling.LimitKind) phrase {
		return value(at+"/regime/probability/"+string(kind), plainDecimals(r.Probability[kind]))
	}
	if r.Unexplained {
		return say("no sum of a smooth part, layer noise, jumps and a rough part has such third differences")
	}
	if r.Verdict == "" {
		var open []phrase
		for _, kind := range scaling.LimitKinds {
			if r.Probability[kind] >= 0.005 {
				open = append(open, say("%s %s", string(kind), of(kind)))
			}
		}
		return say("no kind reaches a probability of %s: %s; deeplimit analyze DIR --next says which depths and seeds would tell", fixed(scaling.Certain), join(open, ", "))
	}
	p := say("probability %s", of(r.Verdict))
	m := path.Mixture
	share := func(before string) phrase {
		if m.NoiseShare == nil {
			return phrase{}
		}
		return say(before+"%s times the trend", estimate(at+"/mixture/noise_share", "value", m.NoiseShare.Estimate()))
	}
	switch r.Verdict {
	case scaling.SmoothLimit:
		if m.DetectionLimit != nil {
			return say("%s, third differences are those of a smooth function, and layer noise of %s times the trend would be seen", p, value(at+"/mixture/detection_limit", digits(*m.DetectionLimit, 2)))
		}
		return say("%s, every path is constant", p)
	case scaling.SmoothAndNoise:
		return say("%s, third differences have the size of layer noise%s", p, share(", "))
	case scaling.RoughLimit:
		if m.Hurst != nil {
			return say("%s, third differences fall with depth and rise with the lag by one exponent H = %s", p, estimate(at+"/mixture/hurst", "value", m.Hurst.Estimate()))
		}
	case scaling.JumpLimit:
		return say("%s, single increments stay as large at greater depths%s", p, share(", beside layer noise of "))
	case scaling.NoiseAlone:
		return say("%s, means over many layers are no larger than those of noise", p)
	case scaling.NoLimit:
		return say("%s, the size of the paths or that of the noise does not settle", p)
	}
	return p
}

// An EvidenceRow is a line of the table beside a verdict.
type EvidenceRow struct {
	Quantity      Quantity
	Number, Range string
}

// Rows lists the slopes of increments over the window.
func (r *Regime) Rows() []EvidenceRow {
	var rows []EvidenceRow
	for _, known := range evidenceNames {
		if s := r.slope(known.statistic); s.Method != "" {
			e := s.Estimate()
			rows = append(rows, EvidenceRow{Quantity: QuantityOf(known.key, ""), Number: e.Number(), Range: e.Range()})
		}
	}
	return rows
}
