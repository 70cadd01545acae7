package analyze

import (
	"github.com/deeplimit/deeplimit/runfolder"
	"github.com/deeplimit/deeplimit/scaling"
)

// Transfer holds losses of networks that were rebuilt and not trained. An excess is
// a loss above that of the trained run which the network was rebuilt from.
type Transfer struct {
	Losses []TransferLoss `json:"losses"` // by depth, then seed
	// Trend and Redrawn are the slopes, in the depth of the rebuilt network, of the
	// excess; null without two depths.
	Trend   *Slope `json:"trend"`
	Redrawn *Slope `json:"redrawn"`
	// TrendOnly is the slope, in the trained depth, of the excess loss of a run's own
	// trend.
	TrendOnly *Slope `json:"trend_only"`
	// Orders are those of errors of outputs, and of the loss from its own limit, as `deeplimit transfer` found them.
	Orders []runfolder.TransferOrder `json:"orders,omitempty"`
	// LimitExponents are those of L → ∞ by the keys trend, redrawn and trend_only, empty where depths or seeds are too few.
	LimitExponents map[string]scaling.LimitExponent `json:"limit_exponents"`
}

// TransferLoss is the loss of a network of the given depth, rebuilt from the limit
// that one seed's deepest runs lead to.
type TransferLoss struct {
	Depth   int      `json:"depth"`
	Seed    uint64   `json:"seed"`
	Sources []int    `json:"sources"` // the depths that the limit was estimated from
	Trained float64  `json:"trained"` // the loss of the deepest of them
	Trend   *float64 `json:"trend"`   // of the trend alone
	Redrawn *float64 `json:"redrawn"` // with initial weights drawn at this depth
	// LossLimit is what the loss of the trend goes to as depth grows, and Errors are of outputs.
	LossLimit *runfolder.LossLimit      `json:"loss_limit,omitempty"`
	Errors    *runfolder.TransferErrors `json:"errors,omitempty"`
	// Training compares training from the rebuilt network with training from scratch;
	// absent unless `deeplimit transfer` was called with --train.
	Training *runfolder.TransferTraining `json:"training,omitempty"`
}
