package runfolder

// Coordinates are the names of what training changes in a network, as Row.Coordinate takes them.
var Coordinates = []string{"last-state", "block-change", "update-norm", "update-rank", "alignment", "block-linearisation", "tangent"}

// Coordinate returns the column of a change in the network or, for those of updates, in a part of the weights; nil for one that
// the trace has no column for.
func (r *Row) Coordinate(name, part string) **float64 {
	switch name {
	case "last-state":
		return &r.LastState
	case "block-change":
		return &r.BlockChange
	case "block-linearisation":
		return &r.BlockLinearisation
	case "tangent":
		return &r.Tangent
	}
	if part == "W" {
		return map[string]**float64{"update-norm": &r.UpdateNormW, "update-rank": &r.UpdateRankW, "alignment": &r.AlignmentW}[name]
	}
	return map[string]**float64{"update-norm": &r.UpdateNorm, "update-rank": &r.UpdateRank, "alignment": &r.Alignment}[name]
}
