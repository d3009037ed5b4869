//! The stable reasons.

use tonic::Code;

macro_rules! reasons {
    ($($(#[doc = $doc:literal])+ $name:ident = $text:literal, $code:ident, $known:literal;)+) => {
        /// Why a call was refused. The texts are stable; the words beside them are not.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
        #[non_exhaustive]
        pub enum Reason {
            $($(#[doc = $doc])+ $name,)+
        }

        impl Reason {
            /// Every reason.
            pub const ALL: &'static [Reason] = &[$(Reason::$name,)+];

            /// The stable text, such as `NOT_LEADER`.
            #[must_use]
            pub fn as_str(self) -> &'static str {
                match self { $(Reason::$name => $text,)+ }
            }

            /// The gRPC code a call refused for this reason has.
            #[must_use]
            pub fn code(self) -> Code {
                match self { $(Reason::$name => Code::$code,)+ }
            }

            /// True when the request was certainly not and will never be applied; false
            /// when it may have been, or may still be.
            #[must_use]
            pub fn nothing_happened(self) -> bool {
                match self { $(Reason::$name => $known,)+ }
            }
        }
    };
}

reasons! {
    /// This node does not lead; the leader's address may be attached.
    NotLeader = "NOT_LEADER", Unavailable, true;
    /// No leader is known, or it cannot reach a quorum.
    NoLeader = "NO_LEADER", Unavailable, true;
    /// More is waiting than can be served in time; a retry hint is attached.
    Overloaded = "OVERLOADED", ResourceExhausted, true;
    /// The deadline passed before the request was begun.
    Deadline = "DEADLINE", DeadlineExceeded, true;
    /// The request was begun and its outcome is not known: send it again with the same ids.
    OutcomeUnknown = "OUTCOME_UNKNOWN", Unavailable, false;
    /// More items or bytes than one request may carry.
    TooLarge = "TOO_LARGE", InvalidArgument, true;
    /// A field cannot be read; its path is attached.
    InvalidField = "INVALID_FIELD", InvalidArgument, true;
    /// The caller knows another cluster id than this node.
    ClusterIdMismatch = "CLUSTER_ID_MISMATCH", FailedPrecondition, true;
    /// The node is going down.
    ShuttingDown = "SHUTTING_DOWN", Unavailable, true;
    /// The node is recovering and serves nothing yet.
    Starting = "STARTING", Unavailable, true;
    /// The node has not applied the asked log index within the deadline.
    IndexNotReached = "INDEX_NOT_REACHED", Unavailable, true;
    /// The digest at the asked index is not kept (any more).
    DigestNotKept = "DIGEST_NOT_KEPT", OutOfRange, true;
    /// No such node among the members.
    NodeUnknown = "NODE_UNKNOWN", NotFound, true;
    /// Leadership did not move in time; nobody is harmed.
    LeaderTransferFailed = "LEADER_TRANSFER_FAILED", Aborted, true;
    /// Another change of members is under way.
    MembersChanging = "MEMBERS_CHANGING", Aborted, true;
    /// The node has not caught up with the log, so it cannot become a voter yet.
    MemberBehind = "MEMBER_BEHIND", FailedPrecondition, true;
    /// The change would leave the cluster without a majority that answers.
    MembersUnsafe = "MEMBERS_UNSAFE", FailedPrecondition, true;
    /// The disk is below its low-water mark.
    DiskFull = "DISK_FULL", ResourceExhausted, true;
    /// The node's state is damaged or differs from its peers'; it serves nothing.
    NodeSuspect = "NODE_SUSPECT", Unavailable, true;
    /// The server does not offer this.
    Unsupported = "UNSUPPORTED", Unimplemented, true;
    /// The caller did not say who it is.
    Unauthenticated = "UNAUTHENTICATED", Unauthenticated, true;
    /// The caller may not do this.
    PermissionDenied = "PERMISSION_DENIED", PermissionDenied, true;
    /// A fault of the server's own; a person must look.
    Internal = "INTERNAL", Internal, false;
}

impl Reason {
    /// The reason of a stable text; `None` for a text of a newer version.
    #[must_use]
    pub fn parse(text: &str) -> Option<Reason> {
        Reason::ALL
            .iter()
            .copied()
            .find(|reason| reason.as_str() == text)
    }

    /// True when the same request can succeed later or on another node as it is.
    #[must_use]
    pub fn is_retryable(self) -> bool {
        matches!(
            self,
            Reason::NotLeader
                | Reason::NoLeader
                | Reason::Overloaded
                | Reason::OutcomeUnknown
                | Reason::ShuttingDown
                | Reason::Starting
                | Reason::IndexNotReached
                | Reason::LeaderTransferFailed
                | Reason::MembersChanging
                | Reason::MemberBehind
                | Reason::DiskFull
                | Reason::NodeSuspect
        )
    }
}

impl std::fmt::Display for Reason {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str(self.as_str())
    }
}
