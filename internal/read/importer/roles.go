package importer

import (
	_ "embed"
	"errors"
	"fmt"
	"regexp"
	"strconv"

	"go.yaml.in/yaml/v4"

	"github.com/deeplimit/deeplimit/field"
	"github.com/deeplimit/deeplimit/internal/disk"
	"github.com/deeplimit/deeplimit/internal/plain"
	"github.com/deeplimit/deeplimit/internal/yamltext"
)

//go:embed roles.yaml
var builtinRoles []byte

// A roleName is what a tensor does, by its name.
type roleName struct {
	Role string
	Name string // an expression
	Axes int    // of a tensor of one layer; 0 for any

	expression *regexp.Regexp
}

// Roles tell what tensors do by their names, the first that matches.
type Roles []roleName

// DefaultRoles returns those of roles.yaml.
func DefaultRoles() Roles {
	roles, err := parseRoles(builtinRoles)
	if err != nil {
		panic(err) // a test reads the file
	}
	return roles
}

// ReadRoles returns the roles of a file and, behind them, those that are built in.
func ReadRoles(path string) (Roles, error) {
	text, err := disk.ReadFile(path, yamltext.Limit)
	if err != nil {
		return nil, fmt.Errorf("importer: roles: %w", err)
	}
	own, err := parseRoles(text)
	if err != nil {
		return nil, fmt.Errorf("importer: roles: %s: %w", plain.Text(path), err)
	}
	return append(own, DefaultRoles()...), nil
}

func parseRoles(text []byte) (Roles, error) {
	root, err := yamltext.Parse(text)
	if err != nil {
		return nil, err
	}
	if root == nil || root.Kind != yaml.SequenceNode {
		return nil, errors.New("want a list of entries with role and name")
	}
	roles := make(Roles, len(root.Content))
	for i, node := range root.Content {
		if node.Kind != yaml.MappingNode {
			return nil, fmt.Errorf("line %d: want role and name", node.Line)
		}
		for j := 0; j < len(node.Content); j += 2 {
			key, value := node.Content[j].Value, node.Content[j+1]
			switch key {
			case "role":
				roles[i].Role = value.Value
			case "name":
				roles[i].Name = value.Value
			case "axes":
				roles[i].Axes, err = strconv.Atoi(value.Value)
			default:
				err = field.OneOf("key", key, "role", "name", "axes")
			}
			if err != nil {
				return nil, fmt.Errorf("line %d: %w", value.Line, err)
			}
		}
		if roles[i].Role == "" || roles[i].Name == "" {
			return nil, fmt.Errorf("line %d: got role %q for names %q, want both", node.Line, roles[i].Role, roles[i].Name)
		}
		if roles[i].expression, err = regexp.Compile(roles[i].Name); err != nil {
			return nil, fmt.Errorf("line %d: name: %w", node.Line, err)
		}
	}
	return roles, nil
}

// of returns the role of a tensor by its name, without the number of its layer, and the number of its axes;
// "other" where no entry fits.
func (r Roles) of(name string, axes int) string {
	for _, entry := range r {
		if (entry.Axes == 0 || entry.Axes == axes) && entry.expression.MatchString(name) {
			return entry.Role
		}
	}
	return "other"
}
