import { AsyncLocalStorage } from 'node:async_hooks';
import { ROOT_CONTEXT, type Context, type ContextManager } from '@opentelemetry/api';

/** Keeps the current span across promises and callbacks. */
export class AsyncContextManager implements ContextManager {
  readonly #storage = new AsyncLocalStorage<Context>();

  active(): Context {
    return this.#storage.getStore() ?? ROOT_CONTEXT;
  }

  with<Arguments extends unknown[], Work extends (...args: Arguments) => ReturnType<Work>>(
    context: Context,
    work: Work,
    thisArgument?: ThisParameterType<Work>,
    ...args: Arguments
  ): ReturnType<Work> {
    return this.#storage.run(context, () => work.call(thisArgument, ...args));
  }

  /** Callbacks already run in the context in which they were created. */
  bind<Target>(_context: Context, target: Target): Target {
    return target;
  }

  enable(): this {
    return this;
  }

  disable(): this {
    this.#storage.disable();
    return this;
  }
}
