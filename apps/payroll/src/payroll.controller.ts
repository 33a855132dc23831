import { Body, Controller, Get, Param, Post, Query } from '@nestjs/common';
import { ApiHeader, ApiTags } from '@nestjs/swagger';
import { Refusal } from 'factline/kernel';
import { type Answer, Context, type Page, PageQuery, ReadsFrom, RequestContext, field } from 'factline/nest';
import { type Payee, PayeesRepository } from './payees.repository.js';
import { type PayrollRun, PayrollRunsService } from './payroll-runs.service.js';

export class NewPayrollRun {
  @field.code({ pattern: /^20\d\d-(0[1-9]|1[0-2])$/, expects: 'a month as YYYY-MM', example: '2026-11' }) month!: string;
}

@ApiTags('payees')
@ReadsFrom('payees')
@Controller('payees')
export class PayeesController {
  constructor(private readonly payees: PayeesRepository) {}

  @Get()
  list(@Query() query: PageQuery): Promise<Page<Payee>> {
    return query.page((behind, count) => this.payees.list(behind, count), ({ employeeId }) => employeeId);
  }

  @Get(':id')
  async get(@Param('id') id: string): Promise<Payee> {
    const payee = await this.payees.find(id);
    if (payee) return payee;
    throw new Refusal({ code: 'payee.unknown', kind: 'not-found', message: `There is no payee '${id}' here yet.`, advice: 'Check the id; Factline-As-Of says how new this answer is.' });
  }
}

@ApiTags('payroll runs')
@ReadsFrom('payees')
@Controller('payroll-runs')
export class PayrollRunsController {
  constructor(private readonly runs: PayrollRunsService) {}

  @Post()
  @ApiHeader({ name: 'Idempotency-Key', required: false, description: 'A write repeated with the same key has its effect once.' })
  create(@Body() { month }: NewPayrollRun, @Context() request: RequestContext): Promise<Answer<PayrollRun>> {
    return this.runs.create(month, request);
  }

  @Get(':id')
  get(@Param('id') id: string): Promise<PayrollRun> {
    return this.runs.get(id);
  }
}
