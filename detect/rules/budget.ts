import type { DetectConfig } from "../../schemas/detect-config.js";
import { MonthlyUse } from "./monthly-use.js";
import type { Found, OnClosed, RuleContext, Unit } from "./rule.js";

/**
 * The month's budget that the people of the home set (AquaHawk, Flume, Hydrific: DETECTION §1.1). Counted from when it was
 * set.
 */
export class Budget extends MonthlyUse {
  readonly name = "budget";

  override step(unit: Unit, context: RuleContext, closed: OnClosed): void {
    const { budget, detect } = context;
    if (this.isOpen && budget !== this.exceeded) this.stop("declared", detect, closed);
    if (budget === undefined) this.forget();
    else super.step(unit, context, closed);
  }

  /** What is said of a budget changes within a day. */
  override passOver(): boolean {
    return false;
  }

  protected limit({ budget }: RuleContext): number | undefined {
    return budget;
  }

  protected share({ budget }: DetectConfig): number {
    return budget.share;
  }

  protected evidence(limit: number): Found["evidence"] {
    return { budget: limit };
  }
}
