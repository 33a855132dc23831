import { type TopicDeclaration, defineFact } from 'factline/contracts';
import { newId } from 'factline/kernel';
import { factSchemaInSpec, selectInSpec } from 'factline/testing';

export interface Note {
  noteId: string;
  text: string;
}
/** Decorators are evaluated before there is a world, so the topic has a name of its own. */
export const topicName = `notes_${newId().toString('hex')}`;
const FIELDS = [{ name: 'noteId', type: 'string' }, { name: 'text', type: 'string' }];
const topic: TopicDeclaration = { name: topicName, owner: 'notes', keyField: 'noteId', partitions: 2, kind: 'facts', settings: {} };
const define = (name: string) => defineFact<Note, 'noteId'>({ factName: `${topicName}.${name}`, topic, keyField: 'noteId', schema: factSchemaInSpec(`${topicName}.${name}`, FIELDS) });
const select = (name: string) => selectInSpec<Note>({ factName: `${topicName}.${name}`, topic: topicName, schema: { type: 'record', name, namespace: topicName, fields: FIELDS }, fingerprint: name }, 'notes');
export const [NoteTaken, NoteRead] = [define('NoteTaken'), define('NoteRead')];
export const [taken, read] = [select('NoteTaken'), select('NoteRead')];
