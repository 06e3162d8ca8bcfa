import type { CheckoutView } from './view.ts';
import { wordsIn } from './words.ts';

/** Returns the gateway's name, or words for it if it is not known. */
export function gatewayText({ gatewayName, language }: CheckoutView): string {
  return gatewayName ?? wordsIn(language).theGateway;
}
