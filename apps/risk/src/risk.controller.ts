import { Controller, Get, Inject, Param, Query } from '@nestjs/common';
import { ApiTags } from '@nestjs/swagger';
import { type Page, PageQuery, ReadsFrom } from 'factline/nest';
import { Store } from 'factline/store';
import { BehaviourRepository } from './behaviour.repository.js';
import { type FlaggedOrder, FlaggedOrdersRepository } from './flagged-orders.repository.js';
import { type Behaviour, RULE, type Reason, type Rule } from './rules.js';

/** An order that is neither the first nor large: what is left is the customer. */
const ORDINARY = { totalCents: 0, refused: false };

export interface CustomerRisk {
  customerId: string;
  behaviour: Behaviour;
  /** Why the next order would be flagged, by the rule of now. */
  reasons: Reason[];
  ruleVersion: number;
  /** What was stated, by the rule of then. */
  flaggedOrders: FlaggedOrder[];
}

@ApiTags('customers')
@ReadsFrom('orders_seen', 'refusals')
@Controller('customers')
export class CustomersController {
  constructor(
    private readonly store: Store,
    private readonly behaviour: BehaviourRepository,
    private readonly flagged: FlaggedOrdersRepository,
    @Inject(RULE) private readonly rule: Rule,
  ) {}

  /** Judged when it is asked for, so a new rule holds as soon as its read model is there. */
  @Get(':id/risk')
  async risk(@Param('id') customerId: string): Promise<CustomerRisk> {
    const behaviour = await this.behaviour.of(this.store, customerId);
    return { customerId, behaviour, reasons: this.rule.judge(behaviour, ORDINARY), ruleVersion: this.rule.version, flaggedOrders: await this.flagged.ofCustomer(customerId) };
  }
}

@ApiTags('flagged orders')
@Controller('flagged-orders')
export class FlaggedOrdersController {
  constructor(private readonly flagged: FlaggedOrdersRepository) {}

  @Get()
  list(@Query() query: PageQuery): Promise<Page<FlaggedOrder>> {
    return query.page((behind, count) => this.flagged.list(behind, count), ({ orderId }) => orderId);
  }
}
