import { type TopicDeclaration, defineFact } from 'factline/contracts';
import { newId } from 'factline/kernel';
import { selectInSpec } from 'factline/testing';

const META = {
  type: 'record',
  name: 'Meta',
  namespace: 'factline',
  fields: [
    { name: 'id', type: { type: 'fixed', name: 'FactId', size: 16 } },
    { name: 'sequence', type: 'long' },
    { name: 'occurredAt', type: { type: 'long', logicalType: 'timestamp-micros' } },
    { name: 'correlationId', type: 'string' },
    { name: 'causationId', type: 'string' },
    { name: 'actor', type: ['null', 'string'], default: null },
  ],
};
export interface Note {
  noteId: string;
  text: string;
}
/** Decorators are evaluated before there is a world, so the topic has a name of its own. */
export const topicName = `notes_${newId().toString('hex')}`;
const FIELDS = [{ name: 'noteId', type: 'string' }, { name: 'text', type: 'string' }];
const topic: TopicDeclaration = { name: topicName, owner: 'notes', keyField: 'noteId', partitions: 2, kind: 'facts', settings: {} };
const define = (name: string) => defineFact<Note, 'noteId'>({ factName: `${topicName}.${name}`, topic, keyField: 'noteId', schema: { type: 'record', name, namespace: topicName, fields: [{ name: 'meta', type: META }, ...FIELDS] } });
const select = (name: string) => selectInSpec<Note>({ factName: `${topicName}.${name}`, topic: topicName, schema: { type: 'record', name, namespace: topicName, fields: FIELDS }, fingerprint: name }, 'notes');
export const [NoteTaken, NoteRead] = [define('NoteTaken'), define('NoteRead')];
export const [taken, read] = [select('NoteTaken'), select('NoteRead')];
