package train

// dense is the number of iterations that are all recorded.
const dense = 2000

// recorded says whether iteration t has a row in the trace: every one up to 2,000,
// after that those with indices in a geometric progression of ratio 1.001, rounded
// so that about a thousand rows make a factor e.
func recorded(t int) bool {
	if t < dense {
		return true
	}
	return t%max(1, strideAt(t)) == 0
}

// strideAt returns the distance between recorded iterations near t: the power of two
// at or below t/1000.
func strideAt(t int) int {
	stride := 1
	for stride*2 <= t/1000 {
		stride *= 2
	}
	return stride
}
