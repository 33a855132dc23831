import { Body, Controller, Get, HttpCode, Param, Patch, Post, Query } from '@nestjs/common';
import { ApiHeader, ApiTags } from '@nestjs/swagger';
import { type Answer, Context, type Page, PageQuery, RequestContext } from 'factline/nest';
import { Admission } from 'factline/nest/admission';
import { Move, NewEmployee, PersonalDetails, Termination } from './employees.dto.js';
import type { Employee } from './employees.repository.js';
import { EmployeesService } from './employees.service.js';

@ApiTags('employees')
@ApiHeader({ name: 'Idempotency-Key', required: false, description: 'A write repeated with the same key has its effect once.' })
@Admission()
@Controller('employees')
export class EmployeesController {
  constructor(private readonly employees: EmployeesService) {}

  @Post()
  create(@Body() body: NewEmployee, @Context() request: RequestContext): Promise<Answer<Employee>> {
    return this.employees.create(body, request);
  }

  @Patch(':id/personal-details')
  changePersonalDetails(@Param('id') id: string, @Body() body: PersonalDetails, @Context() request: RequestContext): Promise<Answer<Employee>> {
    return this.employees.changePersonalDetails(id, body, request);
  }

  @Post(':id/moves')
  @HttpCode(200)
  move(@Param('id') id: string, @Body() body: Move, @Context() request: RequestContext): Promise<Answer<Employee>> {
    return this.employees.move(id, body, request);
  }

  @Post(':id/termination')
  @HttpCode(200)
  terminate(@Param('id') id: string, @Body() body: Termination, @Context() request: RequestContext): Promise<Answer<Employee>> {
    return this.employees.terminate(id, body, request);
  }

  @Get()
  @Admission({ priority: 'sheddable', rate: false })
  list(@Query() query: PageQuery): Promise<Page<Employee>> {
    return query.page((behind, count) => this.employees.list(behind, count), ({ id }) => id);
  }

  @Get(':id')
  @Admission({ priority: 'sheddable', rate: false })
  get(@Param('id') id: string): Promise<Answer<Employee>> {
    return this.employees.get(id);
  }
}
