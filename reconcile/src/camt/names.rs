//! The elements that are looked at.

macro_rules! names {
    ($($name:ident)*) => {
        /// Local name of an element.
        #[derive(Clone, Copy, PartialEq, Eq, Debug)]
        #[expect(clippy::upper_case_acronyms, reason = "as the standard writes them")]
        pub(super) enum Name {
            $($name,)*
            /// Any other.
            Other,
        }

        impl Name {
            pub(super) fn of(local: &str) -> Self {
                match local {
                    $(stringify!($name) => Self::$name,)*
                    _ => Self::Other,
                }
            }

            /// For messages; empty for [`Self::Other`].
            pub(super) const fn text(self) -> &'static str {
                match self {
                    $(Self::$name => stringify!($name),)*
                    Self::Other => "",
                }
            }
        }
    };
}

names! {
    Document BkToCstmrStmt Stmt
    Id Acct IBAN Othr FrToDt FrDtTm ToDtTm
    Bal Tp CdOrPrtry Cd Prtry
    TxsSummry TtlNtries TtlCdtNtries TtlDbtNtries NbOfNtries Sum
    Ntry NtryRef Amt CdtDbtInd RvslInd Sts BookgDt ValDt Dt DtTm AcctSvcrRef AddtlNtryInf
    NtryDtls Btch MsgId PmtInfId
    TxDtls Refs InstrId EndToEndId UETR TxId ClrSysRef AcctOwnrTxId AcctSvcrTxId MktInfrstrctrTxId PrcgId Ref
    AmtDtls TxAmt
    RmtInf Ustrd Strd CdtrRefInf
}

/// `Stmt/Ntry/Amt`, for messages: from the statement on, known names only.
pub(super) fn text(path: &[Name]) -> String {
    let known: Vec<&str> = path
        .iter()
        .map(|name| name.text())
        .filter(|name| !name.is_empty())
        .collect();
    known.get(2..).unwrap_or(&known).join("/")
}
