/** What tests inside an extension host ask of the debug session that is active, over the real protocol. */
import type { DebugProtocol } from '@vscode/debugprotocol';
import * as vscode from 'vscode';
import { ok } from './assert.ts';

export interface Stops {
  /** Every `stopped` event, oldest first. */
  readonly events: readonly DebugProtocol.StoppedEvent['body'][];
  end(): void;
}

/** Notes the stops of the sessions that start from now on. */
export function stops(): Stops {
  const events: DebugProtocol.StoppedEvent['body'][] = [];
  const registration = vscode.debug.registerDebugAdapterTrackerFactory('cp86', {
    createDebugAdapterTracker: () => ({
      onDidSendMessage: (message: DebugProtocol.Event) => {
        if (message.type === 'event' && message.event === 'stopped') events.push(message.body);
      },
    }),
  });
  return { events, end: () => registration.dispose() };
}

export function session(): vscode.DebugSession {
  ok(vscode.debug.activeDebugSession, 'no session is active');
  return vscode.debug.activeDebugSession;
}

export async function topFrame(): Promise<DebugProtocol.StackFrame> {
  const { stackFrames } = (await session().customRequest('stackTrace', { threadId: 1 })) as DebugProtocol.StackTraceResponse['body'];
  ok(stackFrames[0], 'no frame');
  return stackFrames[0];
}

/** The value of an expression as a watch shows it. */
export async function evaluate(expression: string): Promise<string> {
  return ((await session().customRequest('evaluate', { expression, context: 'watch' })) as DebugProtocol.EvaluateResponse['body']).result;
}
