/** What the specification gives a meaning: everything else is an attribute. */
const OF_TYPES = new Set(['doc', 'fields', 'items', 'name', 'namespace', 'size', 'symbols', 'values', 'type', 'aliases']);
const OF_ENUMS = new Set([...OF_TYPES, 'default']);
const OF_FIELDS = new Set(['default', 'doc', 'name', 'order', 'type', 'aliases']);
const RESERVED = { type: OF_TYPES, enum: OF_ENUMS, field: OF_FIELDS };

/** Attributes of a type or field that the specification does not know, as JSON. */
export function attributesOf(json: object, of: keyof typeof RESERVED): Record<string, unknown> {
  return Object.fromEntries(Object.entries(json).filter(([key]) => !RESERVED[of].has(key)));
}

/** Integers that JavaScript prints with all digits, and that no 64 bits hold. Java loses them while it copies a record, array or map, and refuses the schema. */
export function holdsHugeInteger(value: unknown): boolean {
  if (typeof value === 'number') return Math.abs(value) >= 2 ** 63 && Math.abs(value) < 1e21;
  return typeof value === 'object' && value !== null && Object.values(value).some(holdsHugeInteger);
}
