import { fieldsOf } from './field-option.js';

it('reads name, type, whether it may be null, and what it means, colons included', () => {
  const { fields, faults } = fieldsOf(['level:int', 'note:string?', 'paidOn:date:Day of the payment: UTC.'], 'orderId');
  expect(faults).toEqual([]);
  expect(fields).toEqual([
    { name: 'level', type: 'int', doc: 'Level.', optional: false },
    { name: 'note', type: 'string', doc: 'Note.', optional: true },
    { name: 'paidOn', type: { type: 'int', logicalType: 'date' }, doc: 'Day of the payment: UTC.', optional: false },
  ]);
});

it('tells all that is wrong at once', () => {
  const { faults } = fieldsOf(['Level:int', 'level:money', 'level:int', 'orderId:string', 'x'], 'orderId');
  expect(faults).toEqual([
    expect.stringContaining("'Level' is no name of a field"),
    expect.stringContaining("'money' is no type; known are string, int"),
    expect.stringContaining('level is given twice'),
    expect.stringContaining('orderId is the key'),
    expect.stringContaining("'' is no type"),
  ]);
});
