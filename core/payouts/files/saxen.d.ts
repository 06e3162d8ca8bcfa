/** What is used of saxen, which has no types of its own. */
declare module 'saxen' {
  type Context = () => { readonly line: number; readonly column: number };
  type Decode = (text: string) => string;

  interface Handlers {
    openTag: (
      name: string,
      getAttributes: () => Readonly<Record<string, string>> | false,
      decode: Decode,
      selfClosing: boolean,
      context: Context,
    ) => void;
    closeTag: (name: string) => void;
    text: (text: string, decode: Decode, context: Context) => void;
    cdata: (text: string) => void;
    question: (text: string, context: Context) => void;
    attention: (text: string, decode: Decode, context: Context) => void;
    error: (error: Error, context: Context) => void;
    warn: (warning: Error, context: Context) => void;
  }

  export class Parser {
    on<Name extends keyof Handlers>(name: Name, handler: Handlers[Name]): this;
    parse(xml: string): Error | null;
  }
}
