import { Controller, Get, Header, SetMetadata } from '@nestjs/common';
import { ApiExcludeController } from '@nestjs/swagger';
import { ALWAYS_ADMITTED } from '../admission/metadata.js';
import { Metrics } from './metrics.js';

@ApiExcludeController()
@SetMetadata(ALWAYS_ADMITTED, true)
@Controller()
export class MetricsController {
  constructor(private readonly metrics: Metrics) {}

  @Get('/metrics')
  @Header('content-type', 'text/plain; version=0.0.4; charset=utf-8')
  read(): Promise<string> {
    return this.metrics.registry.metrics();
  }
}
