package cli

import (
	"cmp"
	"errors"
	"fmt"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/deeplimit/deeplimit/field"
)

// flagValues says in words which values the types of flags take.
var flagValues = map[string]string{
	"bool":           "true or false",
	"duration":       "a time such as 30s",
	"float64":        "a number",
	"float64Slice":   "numbers, separated by commas",
	"int":            "a whole number",
	"int64":          "a whole number",
	"int64Slice":     "whole numbers, separated by commas",
	"intSlice":       "whole numbers, separated by commas",
	"string":         "text",
	"stringArray":    "text",
	"stringSlice":    "words, separated by commas",
	"stringToString": "pairs such as name=value",
	"uint64":         "a whole number, at least 0",
}

// valueOf says which values a flag takes.
func valueOf(flag *pflag.Flag) string {
	return cmp.Or(flagValues[flag.Value.Type()], flag.Value.Type())
}

// flagFault returns an error about flags that says what was got and what was wanted.
func flagFault(cmd *cobra.Command, err error) error {
	if wrong, ok := errors.AsType[*pflag.InvalidValueError](err); ok {
		return fmt.Errorf("%s: --%s: got %q, want %s", cmd.Name(), wrong.GetFlag().Name, wrong.GetValue(), valueOf(wrong.GetFlag()))
	}
	if bare, ok := errors.AsType[*pflag.ValueRequiredError](err); ok {
		return fmt.Errorf("%s: --%s: got nothing behind it, want %s", cmd.Name(), bare.GetFlag().Name, valueOf(bare.GetFlag()))
	}
	if unknown, ok := errors.AsType[*pflag.NotExistError](err); ok && unknown.GetSpecifiedShortnames() == "" {
		return unknownFlag(cmd, unknown.GetSpecifiedName())
	}
	return fmt.Errorf("%s: %w", cmd.Name(), err)
}

// unknownFlag names the flag that may have been meant.
func unknownFlag(cmd *cobra.Command, name string) error {
	var known []string
	cmd.Flags().VisitAll(func(f *pflag.Flag) { known = append(known, f.Name) })
	mean := ""
	if near := field.Nearest(name, known); len(near) > 0 {
		mean = fmt.Sprintf("; did you mean --%s?", near[0])
	}
	return fmt.Errorf("%s: got the unknown flag --%s, want one that deeplimit %s--help lists%s", cmd.Name(), name,
		strings.TrimPrefix(cmd.CommandPath()+" ", "deeplimit "), mean)
}

// asFlag returns err with the command and the flag before it, where it is about a value that
// a flag of the command sets.
func asFlag(cmd *cobra.Command, err error) error {
	wrong, ok := errors.AsType[*field.Error](err)
	if !ok || err.Error() != wrong.Error() || cmd.Flags().Lookup(wrong.Path) == nil {
		return err // with a place before it that says more than the flag
	}
	return fmt.Errorf("%s: --%w", cmd.Name(), err)
}
