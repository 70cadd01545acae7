package papers

// Experiments returns all of them, in the order of the page.
func Experiments() []Experiment {
	return []Experiment{
		convergence(),
		realData(),
		realDataProofs(),
		start(),
		learnedScaling(),
		accuracyMap(),
		roughness(),
		limit(),
		longTime(),
		edge(),
		stepTransfer(),
		stepData(),
		transfer(),
		paths(),
	}
}
