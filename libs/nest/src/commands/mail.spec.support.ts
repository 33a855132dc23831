import { defineCommand } from 'factline/commands';
import type { TopicDeclaration } from 'factline/contracts';
import { newId } from 'factline/kernel';
import { factSchemaInSpec, selectCommandInSpec } from 'factline/testing';

export interface Email {
  customerId: string;
  text: string;
}

/** Decorators are evaluated before there is a world, so the topic has a name of its own. */
export const QUEUE = `mail_${newId().toString('hex').slice(0, 16)}`;
const FIELDS = [{ name: 'customerId', type: 'string' }, { name: 'text', type: 'string' }];
const topic: TopicDeclaration = { name: QUEUE, owner: 'post', keyField: 'customerId', partitions: 2, kind: 'commands', settings: {} };
const factName = `${QUEUE}.SendEmail`;
export const SendEmail = defineCommand<Email, 'customerId'>({ factName, topic, keyField: 'customerId', schema: factSchemaInSpec(factName, FIELDS) });
export const SendEmailSelected = selectCommandInSpec<Email>({ factName, topic: QUEUE, schema: { type: 'record', name: 'SendEmail', namespace: QUEUE, fields: FIELDS }, fingerprint: 'SendEmail', owner: 'post' });
