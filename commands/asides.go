package commands

// Aside is an ephemeral message, for one person's eyes, that is not the answer of
// a command: who may ask, what a click did, what could not be read. Details, such
// as whom to ask or Slack's error, may follow it.
type Aside string

// The asides.
const (
	AsideBusy    Aside = "Busy: try again in a moment."
	AsideTooLong Aside = "This is too long for a command; nothing was done."
	AsideUnread  Aside = "What Slack sent could not be read; nothing was done."
	AsideFault   Aside = "Something went wrong on our side; nothing was changed."
	// AsideDecidingFault is for a click that may have changed something.
	AsideDecidingFault Aside = "Something went wrong on our side. Look at the message and at /session history before you press again."

	AsideReaders     Aside = "Only full members of this workspace may ask: no guests, and nobody from a connected workspace."
	AsideOperators   Aside = "Only operators may do this; they are listed in OPERATORS."
	AsideNoOperators Aside = "Nobody may approve repairs yet: OPERATORS is empty. Whoever runs this bot can list operators there."
	AsideMembers     Aside = "Only full members of this workspace may do this: no guests, and nobody from a connected workspace."
	AsideOwnPlan     Aside = "You asked for this plan; another operator has to approve it."

	AsidePlanSent       Aside = "I cannot post in this channel, so I sent you the plan in a direct message."
	AsidePlanUnshown    Aside = "The plan could not be shown, so nothing will be done."
	AsidePlanUnclear    Aside = "Slack did not say whether it shows the plan. Where it does not, run the command again; nothing is done before somebody approves."
	AsideAlertMoved     Aside = "Your press counted. This message shows an old state: the alert is posted anew, in the alert channel."
	AsideApproved       Aside = "Your click counted: approved. The message could not be changed, and may show its buttons still."
	AsideElsewhere      Aside = "This plan is shown in another message, so nothing was done. Press its button there, in"
	AsideAlertElsewhere Aside = "This alert is shown in another message, so nothing was done. Press its button there, in"
	AsideCancelled      Aside = "Your click counted: cancelled. The message could not be changed, and may show its buttons still."

	AsideShared       Aside = "Shared already, a moment ago."
	AsideShareUnknown Aside = "Redis does not tell what this answer was about. Try again in a moment."
	AsideShareOld     Aside = "This answer is older than 30 minutes. Ask again, then share."
	AsideNotPosted    Aside = "This could not be posted in the channel:"
)

// Asides lists all of them.
var Asides = []Aside{AsideBusy, AsideTooLong, AsideUnread, AsideFault, AsideDecidingFault,
	AsideReaders, AsideOperators, AsideNoOperators, AsideMembers, AsideOwnPlan,
	AsidePlanSent, AsidePlanUnshown, AsidePlanUnclear, AsideElsewhere, AsideAlertMoved, AsideAlertElsewhere, AsideApproved, AsideCancelled,
	AsideShared, AsideShareUnknown, AsideShareOld, AsideNotPosted}
