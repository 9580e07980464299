import type { DetectConfig } from "../../schemas/detect-config.js";
import type { RuleContext } from "./rule.js";
import { UnexpectedUse } from "./unexpected-use.js";

/**
 * Water used while the people of the home said that they are away (vacation alert of SETflow, unplanned use of
 * WaterSmart: DETECTION §1.1), or while nobody holds its account. When they are back nothing is left to say.
 */
export class Away extends UnexpectedUse {
  readonly name = "away";
  protected readonly expected = "declared";

  protected isUnexpected({ away }: RuleContext): boolean {
    return away;
  }

  protected minVolume({ away }: DetectConfig): number {
    return away.minVolume;
  }
}
