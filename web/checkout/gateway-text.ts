import type { CheckoutView } from './view.ts';
import { wordsIn } from './words.ts';

/** What stands where a gateway is named. */
export function gatewayText({ gatewayName, language }: CheckoutView): string {
  return gatewayName ?? wordsIn(language).theGateway;
}
