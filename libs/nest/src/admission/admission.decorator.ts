import { SetMetadata, UseGuards, applyDecorators } from '@nestjs/common';
import { ApiResponse } from '@nestjs/swagger';
import { AdmissionGuard } from './admission.guard.js';
import { ADMISSION } from './metadata.js';
import type { AdmissionChoice } from './options.js';

const described = (description: string, headers: readonly string[]) => ({
  description,
  headers: Object.fromEntries(headers.map((name) => [name, { schema: { type: 'string' as const } }])),
  content: {
    'application/problem+json': {
      schema: {
        type: 'object' as const,
        required: ['type', 'title', 'status', 'code', 'detail', 'correlationId'],
        properties: {
          ...Object.fromEntries(['type', 'title', 'code', 'detail', 'advice', 'correlationId'].map((name) => [name, { type: 'string' as const }])),
          status: { type: 'integer' as const },
        },
      },
    },
  },
});

/**
 * Puts the admission guard before a controller or a method, which may override what the controller says part by part. OpenAPI shows the 429 and the 503 that it answers.
 */
export function Admission(choice: AdmissionChoice = {}): ClassDecorator & MethodDecorator {
  return applyDecorators(
    SetMetadata(ADMISSION, choice),
    UseGuards(AdmissionGuard),
    ApiResponse({ status: 429, ...described('The client made more requests than its rate allows.', ['Retry-After', 'RateLimit', 'RateLimit-Policy']) }),
    ApiResponse({ status: 503, ...described('The service has too much to do, or something it needs does not answer.', ['Retry-After']) }),
  ) as ClassDecorator & MethodDecorator;
}
