package sweep

// A loan is of the cores of a run.
type loan struct {
	w       *work
	cores   int64
	syncing bool // given back already
}

// idle lets other runs have the cores while this one waits for the disk: a tiny run waits for most of its time. No more runs wait so
// than there are cores, as each has its memory, and its files open.
func (l *loan) idle() {
	if !l.syncing && l.w.syncing.TryAcquire(1) {
		l.syncing = true
		l.w.cores.Release(l.cores)
	}
}

// end gives back what the run still has.
func (l *loan) end() {
	if l.syncing {
		l.w.syncing.Release(1)
	} else {
		l.w.cores.Release(l.cores)
	}
}
