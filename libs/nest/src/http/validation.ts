/// <reference lib="es2024.string" />
import { type ArgumentMetadata, Injectable, type PipeTransform, ValidationPipe } from '@nestjs/common';
import type { ValidationError } from 'class-validator';
import { FactlineError } from 'factline/kernel';
import { BODY_DEPTH, BODY_VALUES } from '../limits.js';
import type { FieldFault } from './problem.js';

function requestInvalid(errors: readonly FieldFault[]): FactlineError {
  return new FactlineError({
    code: 'request.invalid',
    kind: 'invalid',
    message: errors.length === 1 ? `${errors[0]!.path || 'The body'} ${errors[0]!.message}.` : `${errors.length} fields are not as expected.`,
    advice: 'Correct the named fields; /docs says what is expected.',
    details: { errors },
  });
}

/**
 * Refuses text that Postgres or UTF-8 cannot hold (NUL, lone surrogates), in values and in names of fields, and bodies that are too deep or too large to
 * validate. It walks without recursion, since what it guards against is depth.
 */
@Injectable()
export class SoundTextPipe implements PipeTransform {
  transform(value: unknown, { type, data }: ArgumentMetadata): unknown {
    if (type === 'custom') return value; // made by our own decorators, not by the client
    const faults = unsound(value, data ?? '');
    if (faults.length > 0) throw requestInvalid(faults);
    return value;
  }
}

export function unsound(root: unknown, rootPath: string): FieldFault[] {
  const faults: FieldFault[] = [];
  const waiting: { value: unknown; path: string; depth: number }[] = [{ value: root, path: rootPath, depth: 0 }];
  for (let seen = 1; waiting.length > 0; seen++) {
    const { value, path, depth } = waiting.pop()!;
    if (seen > BODY_VALUES) return [{ path: rootPath, message: `must hold at most ${BODY_VALUES} values` }];
    if (depth > BODY_DEPTH) return [{ path: '', message: `must be nested at most ${BODY_DEPTH} deep` }];
    const fault = typeof value === 'string' ? textFault(value) : undefined;
    if (fault) faults.push({ path, message: fault });
    if (typeof value !== 'object' || value === null) continue;
    for (const [name, inner] of Object.entries(value)) {
      const nameFault = name === '__proto__' ? 'is not a field' : textFault(name);
      if (nameFault) faults.push({ path: join(path, nameFault === 'is not a field' ? name : '(a field name)'), message: nameFault });
      waiting.push({ value: inner, path: join(path, name), depth: depth + 1 });
    }
  }
  return faults;
}

function textFault(text: string): string | undefined {
  if (text.includes('\0')) return 'must not contain the NUL character';
  if (!text.isWellFormed()) return 'must not contain half a surrogate pair';
  return undefined;
}

const join = (path: string, name: string) => (path ? `${path}.${name}` : name);

/** Validation as strict as it goes: unknown fields are refused, nothing is converted silently, every fault is told with its path. */
export function strictValidation(): ValidationPipe {
  return new ValidationPipe({
    whitelist: true,
    forbidNonWhitelisted: true,
    forbidUnknownValues: true,
    stopAtFirstError: true,
    transform: true,
    transformOptions: { enableImplicitConversion: false },
    validationError: { target: false, value: false },
    exceptionFactory: (errors: ValidationError[]) => requestInvalid(flatten(errors, '')),
  });
}

function flatten(errors: readonly ValidationError[], parent: string): FieldFault[] {
  return errors.flatMap(({ property, constraints, children }) => {
    const path = join(parent, property);
    const own = Object.values(constraints ?? {}).map((message) => ({ path, message: withoutName(message, property) }));
    return [...own, ...flatten(children ?? [], path)];
  });
}

function withoutName(message: string, property: string): string {
  if (message === `property ${property} should not exist`) return 'is not a field';
  return message.startsWith(`${property} `) ? message.slice(property.length + 1) : message;
}
