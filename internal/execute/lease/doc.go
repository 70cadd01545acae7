// Package lease decides which worker computes a run, so that of any number of processes, on
// any number of machines that share a study folder, one does. It states the commit protocol
// of a run once; package runfolder has the names and formats of its files.
//
// The words: a worker is a process that executes runs. A lease is the file lease.N of a run
// folder; the one with the highest number N holds, and its worker alone computes. A heartbeat
// is the lease written again, every few seconds. A checkpoint is the state of an unfinished
// run. A staging directory is a hidden folder of one worker in the run folder. The commit is
// one hard link that makes the files of a staging directory the run's result.
//
//	worker                                       run folder
//	──────                                       ──────────
//	1 take the lease      link(.lease.X.tmp ──▶ lease.N)       fails if N is taken
//	2 begin               link(… ──▶ run.json)                 after a second, or before 3
//	3 compute, and        write(lease.N)                       heartbeat, each interval
//	  meanwhile           rename(… ──▶ checkpoint/…)           the one before stays
//	  check the lease     stat(lease.N+1)                      taken over: stop, write nothing
//	4 stage               write .finish.X.tmp/{weights, trace, run.json, result.json}, fsync
//	                      rename(.finish.X.tmp ──▶ .finish.S.tmp), S from result.json's checksum
//	5 commit              link(.finish.S.tmp/result.json ──▶ finish.json)   fails if it is there
//	6 move up             rename(.finish.S.tmp/… ──▶ …), result.json last; fsync the folder
//	7 tidy                remove finish.json, checkpoint/, live.jsonl, failure.json, lease.*
//
// A crash, of the process or the machine, between two steps:
//
//	after 1, 2   the lease stays, and is taken over (below); run.json is the run's in any case
//	after 3      the next worker goes on from the last good checkpoint. Any checkpoint leads to
//	             the same bytes, so it does not matter which worker wrote it
//	after 4      the staging directory is a leftover, and removed by the next worker (Claim)
//	after 5      the result is decided. Whoever comes next does steps 6 and 7; if a crash of the
//	             machine took files of the staging directory away, checksums show it, and
//	             finish.json is removed: the run is unfinished again
//	within 6     the same: a file that has moved up is not there to be moved again
//	after 6      result.json is there: the run is done, and the next who comes by tidies
//
// Take-over. A worker that finds lease.N of another takes lease.N+1 when that lease is
// released; when its process is gone, which is known at once on the same boot of the same
// machine and in the same namespaces; or when it has not changed for runfolder.MissedBeats
// intervals. Nothing that others rely on is renamed or removed while the run is unfinished,
// so two contenders never take over the same dead worker: the file server lets one of them
// make lease.N+1.
//
// Two live workers. One that sleeps through its own replacement may wake with a write under
// way. No lease can prevent that, so no result rests on leases: checkpoints are
// interchangeable, the files of a result are in a staging directory of one worker until step
// 5, and step 5 succeeds for one. The other finds finish.json or result.json and discards its
// own directory. Two workers that each take the other for dead by its process number (copies
// of one virtual machine) take the run from each other once each; a Manager whose lease was
// taken while its heartbeats went on judges by heartbeats alone from then on.
//
// Clocks. Silence is measured by the clock of the worker that watches, from the moment when
// it first saw the lease as it is. The times within a lease are for people: clocks of two
// machines are never compared, and a clock that jumps costs at most a needless take-over.
//
// The file system must make link(2) exclusive, as local ones and NFS do; where there are no
// hard links, a file made with O_EXCL takes their place. What it shows may be a few seconds
// old: a heartbeat that is seen late is a heartbeat.
package lease
