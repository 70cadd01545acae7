package analyze

import (
	"fmt"
	"strconv"
	"strings"
)

// A Sentence is text of which every number stands in the JSON of its group, too.
type Sentence struct {
	Text  string
	Facts []Fact // of the numbers in Text, in their order
}

// A Fact says where a number of a sentence, or words that hold numbers, come from.
type Fact struct {
	// Path leads to the value in the JSON of the group: keys, each after a slash, and # for
	// the length of a list. It is "" for numbers that the program fixes, such as a threshold.
	Path string
	Text string // as the sentence has it
}

// A phrase is part of a sentence.
type phrase struct {
	words string
	facts []Fact
}

func (p phrase) String() string { return p.words }

// sentence ends a phrase.
func (p phrase) sentence() Sentence { return Sentence{p.words + ".", p.facts} }

// say fills phrases and words, which hold no numbers, into a format in their order.
func say(format string, args ...any) phrase {
	p := phrase{words: fmt.Sprintf(format, args...)}
	for _, arg := range args {
		if inner, ok := arg.(phrase); ok {
			p.facts = append(p.facts, inner.facts...)
		}
	}
	return p
}

// join puts phrases together.
func join(phrases []phrase, separator string) phrase {
	var p phrase
	for i, inner := range phrases {
		if i > 0 {
			p.words += separator
		}
		p.words += inner.words
		p.facts = append(p.facts, inner.facts...)
	}
	return p
}

// value writes a number that JSON has at path.
func value(path, text string) phrase {
	text = typeset(text)
	return phrase{text, []Fact{{path, text}}}
}

// integer likewise.
func integer(path string, n int) phrase { return value(path, strconv.Itoa(n)) }

// fixed writes a number that the program fixes.
func fixed(v float64) phrase { return value("", strconv.FormatFloat(v, 'g', -1, 64)) }

// quote writes words that JSON has at path as they are.
func quote(path, text string) phrase { return phrase{text, []Fact{{path, text}}} }

// estimate writes a number with its interval, "−0.52 [−0.53, −0.51]"; key is its name in the
// object at path.
func estimate(path, key string, e Estimate) phrase {
	number := value(path+"/"+key, e.Number())
	low, high := e.Ends()
	switch {
	case low == "":
		return say("%s %s", number, e.Range())
	case high == "":
		return say("%s [%s, ∞)", number, value(path+"/low", low))
	}
	return say("%s [%s, %s]", number, value(path+"/low", low), value(path+"/high", high))
}

// typeset writes a minus sign where a number has a hyphen.
func typeset(number string) string { return strings.ReplaceAll(number, "-", "−") }

// counted writes a number of things at path.
func counted(path string, n int, noun string) phrase {
	if n == 1 {
		return say("%s %s", integer(path, n), noun)
	}
	return say("%s %ss", integer(path, n), noun)
}

// listed writes depths, those of the list at path: one, two, or how many from the first to
// the last.
func listed(path string, depths []int) phrase {
	at := func(i int) phrase { return integer(fmt.Sprintf("%s/%d", path, i), depths[i]) }
	last := len(depths) - 1
	switch len(depths) {
	case 0:
		return say("no depth")
	case 1:
		return say("depth %s", at(0))
	case 2:
		return say("depths %s and %s", at(0), at(1))
	}
	return say("%s depths from %s to %s", integer(path+"/#", len(depths)), at(0), at(last))
}
