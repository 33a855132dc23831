import { Body, Controller, Delete, Get, HttpCode, Param, Put } from '@nestjs/common';
import { ApiTags } from '@nestjs/swagger';
import { Refusal } from 'factline/kernel';
import { field } from 'factline/nest';
import { type Contact, ContactsRepository } from './contacts.repository.js';

/** As a browser takes it (HTML, 4.10.5.1.5), with a domain of two parts: no quotes, no line breaks, and other scripts in the domain as xn--. */
const EMAIL = /^[A-Za-z0-9.!#$%&'*+/=?^_`{|}~-]{1,64}@([A-Za-z0-9]([A-Za-z0-9-]{0,61}[A-Za-z0-9])?\.){1,8}[A-Za-z][A-Za-z0-9-]{0,61}[A-Za-z0-9]$/;
const E164 = /^\+[1-9][0-9]{6,14}$/;

export class ContactPath {
  @field.id({ example: 'c-17' }) customerId!: string;
}

export class ContactBody {
  @field.code({ pattern: EMAIL, expects: 'an email address', optional: true, nullable: true, example: 'ada@example.com' }) email?: string | null;
  @field.code({ pattern: E164, expects: 'a phone number in E.164 form: + and 7 to 15 digits', optional: true, nullable: true, example: '+4930123456' }) phone?: string | null;
}

/** Whoever may tell us where customers are reached; guard it as personal data wants to be guarded. */
@ApiTags('contacts')
@Controller('contacts')
export class ContactsController {
  constructor(private readonly contacts: ContactsRepository) {}

  /** The whole contact: what is left out is forgotten. What is under way already may still go to the address before. */
  @Put(':customerId')
  async put(@Param() { customerId: id }: ContactPath, @Body() { email = null, phone = null }: ContactBody): Promise<Contact> {
    if (email === null && phone === null) throw empty(id);
    const contact = { customerId: id, email, phone };
    await this.contacts.put(contact);
    return contact;
  }

  @Get(':customerId')
  async get(@Param() { customerId: id }: ContactPath): Promise<Contact> {
    const contact = await this.contacts.find(id);
    if (contact) return contact;
    throw new Refusal({ code: 'contact.unknown', kind: 'not-found', message: `It is not known where the customer '${id}' is reached.`, advice: 'Tell it: PUT /contacts/:customerId.' });
  }

  /** Also where there was none. */
  @Delete(':customerId')
  @HttpCode(204)
  async remove(@Param() { customerId: id }: ContactPath): Promise<void> {
    await this.contacts.remove(id);
  }
}

function empty(id: string): Refusal {
  return new Refusal({ code: 'contact.empty', kind: 'invalid', message: `The contact of '${id}' has neither email nor phone.`, advice: 'Send one of them, or DELETE the contact.' });
}
