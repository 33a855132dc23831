/**
 * Why a FactDecoder would not read it. `namespace-changed`: full names differ, and no alias says that they are the same. `union-ambiguous`: two branches of the
 * reader are one kind of JavaScript value (two records, text and enum, two numbers). `default-refused`: avsc takes the default of a union for its first branch, and
 * knows the size of a fixed. `name-refused`: letters beyond ASCII, a field that every JavaScript object has, a name that avsc looks for elsewhere.
 * `forward-reference`: a name before its definition. `bytes-as-string`: bytes that are not UTF-8 are refused, so the value decides.
 * `schema-refused`, `resolver-refused`: anything else, in avsc's words.
 */
export type JsFaultKind = 'namespace-changed' | 'union-ambiguous' | 'default-refused' | 'name-refused' | 'forward-reference' | 'bytes-as-string' | 'schema-refused' | 'resolver-refused';

export interface JsFault {
  readonly kind: JsFaultKind;
  /** The field, as in an incompatibility; empty when avsc does not say. */
  readonly path: string;
  readonly message: string;
}
