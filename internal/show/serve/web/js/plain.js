// Texts from files may hold characters that hide, or turn the direction of what follows.

const hidden = /[\p{C}\p{Zl}\p{Zp}\p{Default_Ignorable_Code_Point}\u2800]|(?! )\p{Zs}/gu;
const short = { "\x07": "\\a", "\b": "\\b", "\f": "\\f", "\n": "\\n", "\r": "\\r", "\t": "\\t", "\v": "\\v" };

function escape(c) {
  const code = c.codePointAt(0), hex = code.toString(16);
  if (short[c]) return short[c];
  if (code < 0x80) return `\\x${hex.padStart(2, "0")}`;
  return code < 0x10000 ? `\\u${hex.padStart(4, "0")}` : `\\U${hex.padStart(8, "0")}`;
}

/** plain writes every character that is not seen as itself as an escape, as the Go function
 * plain.Text does. */
export const plain = (text) => String(text).replace(hidden, escape);

/** plainLines leaves line breaks and tabs of a longer text. */
export const plainLines = (text) => String(text).replace(hidden, (c) => (c === "\n" || c === "\t" ? c : escape(c)));
