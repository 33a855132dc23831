/**
 * `factline.Meta`, the first field of every fact: schemas/factline/Meta.avsc without its documentation (a spec holds the two equal).
 * The code knows it because the offsets of id and sequence follow from it.
 */
export const META_SCHEMA = {
  type: 'record',
  name: 'Meta',
  namespace: 'factline',
  fields: [
    { name: 'id', type: { type: 'fixed', name: 'FactId', namespace: 'factline', size: 16 } },
    { name: 'sequence', type: 'long' },
    { name: 'occurredAt', type: { type: 'long', logicalType: 'timestamp-micros' } },
    { name: 'correlationId', type: 'string' },
    { name: 'causationId', type: 'string' },
    { name: 'actor', type: ['null', 'string'], default: null },
  ],
} as const;

export const META_FIELD = 'meta';
export const META_NAME = 'factline.Meta';
