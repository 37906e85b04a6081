//! The TCB of each part of a platform: Intel's rating of it, and how far it is behind.
//!
//! The DCAP library gives one status for all parts, and passes over some statuses of some parts. This module rates each part by
//! itself, from documents whose signatures verified; the worst of these and of the library's status counts.

mod documents;
mod levels;
mod part;

pub use part::PartTcb;
pub use part::SvnComponent;
pub use part::SvnShortfall;
pub use part::TcbPart;
pub use part::TcbUpdate;

pub(crate) use levels::Svns;
pub(crate) use levels::advisories;
pub(crate) use levels::oldest;
pub(crate) use levels::parts;
pub(crate) use levels::worst;

#[cfg(all(test, feature = "testing"))]
mod tests {
    use super::*;
    use crate::collateral::Collateral;
    use crate::error::QuoteError;
    use crate::policy::TcbStatus;
    use crate::testing::ForgedLevel;
    use crate::testing::ForgedPlatform;
    use atls_formats::dcap::Quote;
    use atls_formats::dcap::Td15;
    use atls_formats::dcap::TdReport;
    use atls_formats::dcap::Tee;

    const NOW: u64 = 20_833 * 24 * 60 * 60;

    fn level(svn: u8, status: TcbStatus, date: u64) -> ForgedLevel {
        ForgedLevel {
            svn,
            status,
            date,
            advisories: vec![format!("INTEL-SA-{svn:05}")],
        }
    }

    fn rate(
        platform: &ForgedPlatform,
        report: &TdReport,
    ) -> Result<Vec<PartTcb>, Box<dyn std::error::Error>> {
        let bytes = platform.tdx_quote(report, &[0; 64])?;
        let quote = Quote::decode(&bytes, Tee::Tdx)?;
        let collateral = platform.collateral(Tee::Tdx)?;
        Ok(parts(&collateral, &Svns::of(&quote)?)?)
    }

    #[test]
    fn a_part_that_is_behind_names_components_numbers_and_dates() {
        use TcbStatus::*;

        let mut platform = ForgedPlatform::new(NOW).unwrap();
        // Not in order.
        platform.platform_levels = vec![
            level(5, OutOfDate, 2),
            level(7, UpToDate, 3),
            level(6, SWHardeningNeeded, 4),
        ];
        platform.module_levels = vec![level(6, UpToDate, 5), level(4, OutOfDate, 6)];
        platform.qe_levels = vec![level(9, UpToDate, 7), level(2, OutOfDate, 8)];
        let report = platform.td_report();
        let parts = rate(&platform, &report).unwrap();
        let seen: Vec<_> = parts
            .iter()
            .map(|part| {
                let date = part.tcb_date.map(|date| date.as_secs());
                (part.part, part.status, date, &*part.advisories[0])
            })
            .collect();
        assert_eq!(
            seen,
            [
                (TcbPart::Platform, OutOfDate, Some(2), "INTEL-SA-00005"),
                (TcbPart::TdxModule, OutOfDate, Some(6), "INTEL-SA-00004"),
                (
                    TcbPart::QuotingEnclave,
                    OutOfDate,
                    Some(8),
                    "INTEL-SA-00002"
                ),
            ]
        );
        let updates: Vec<_> = parts
            .iter()
            .map(|part| part.update.as_ref().unwrap())
            .collect();
        let dates: Vec<_> = updates
            .iter()
            .map(|update| (update.status, update.tcb_date.as_secs()))
            .collect();
        assert_eq!(dates, [(UpToDate, 3), (UpToDate, 5), (UpToDate, 7)]);
        let said: Vec<Vec<_>> = updates
            .iter()
            .map(|update| update.shortfalls.iter().map(ToString::to_string).collect())
            .collect();
        assert_eq!(said[0].len(), 17);
        assert_eq!(said[0][2], "SGX TCB component 3 is 5, needs 7");
        assert_eq!(said[0][16], "PCE SVN is 5, needs 7");
        assert_eq!(said[1], ["TDX module minor version is 4, needs 6"]);
        assert_eq!(said[2], ["QE ISVSVN is 4, needs 9"]);
    }

    #[test]
    fn a_part_without_a_level_says_what_the_best_would_take() {
        let mut platform = ForgedPlatform::new(NOW).unwrap();
        platform.platform_levels = vec![level(6, TcbStatus::UpToDate, 3)];
        let report = platform.td_report();
        let parts = rate(&platform, &report).unwrap();
        assert_eq!(parts[0].status, TcbStatus::Unrecognised);
        assert_eq!(parts[0].tcb_date, None);
        assert_eq!(parts[0].update.as_ref().unwrap().shortfalls.len(), 17);
        assert_eq!(worst(&parts), TcbStatus::Unrecognised);
    }

    #[test]
    fn levels_of_another_pce_rate_no_platform() {
        let platform = ForgedPlatform::new(NOW).unwrap();
        let bytes = platform.tdx_quote(&platform.td_report(), &[0; 64]).unwrap();
        let quote = Quote::decode(&bytes, Tee::Tdx).unwrap();
        let collateral = platform.collateral(Tee::Tdx).unwrap();
        for (pce_id, is_rated) in [("0000", true), ("0100", false), ("00", false), ("", false)] {
            let mut documents = collateral.parts().clone();
            let stated = format!("\"pceId\":\"{pce_id}\"");
            documents.tcb_info = documents.tcb_info.replace("\"pceId\":\"0000\"", &stated);
            assert!(documents.tcb_info.contains(&stated));
            let collateral = Collateral::new(documents).unwrap();
            let rated = parts(&collateral, &Svns::of(&quote).unwrap()).map(drop);
            let expected = is_rated.then_some(()).ok_or(QuoteError::Collateral);
            assert_eq!(rated, expected, "{pce_id}");
        }
    }

    #[test]
    fn the_running_module_is_a_part_where_it_is_another() {
        let mut platform = ForgedPlatform::new(NOW).unwrap();
        platform.module_levels = vec![
            level(6, TcbStatus::UpToDate, 5),
            level(4, TcbStatus::OutOfDate, 6),
        ];
        let mut report = platform.td_report();
        report.td15 = Some(Td15::new(report.tee_tcb_svn));
        assert_eq!(rate(&platform, &report).unwrap().len(), 3);
        report.td15 = Some(Td15::new(0x0106_u128.to_le_bytes()));
        let parts = rate(&platform, &report).unwrap();
        let kinds: Vec<_> = parts.iter().map(|part| part.part).collect();
        assert_eq!(
            kinds,
            [
                TcbPart::Platform,
                TcbPart::TdxModule,
                TcbPart::RunningPlatform,
                TcbPart::RunningTdxModule,
                TcbPart::QuotingEnclave,
            ]
        );
        assert_eq!(worst(&parts), TcbStatus::TDRelaunchAdvised);
    }

    /// The whole is never better than any part, whatever the others are.
    #[test]
    fn the_worst_part_decides() {
        use TcbStatus::*;

        let all = [
            UpToDate,
            SWHardeningNeeded,
            ConfigurationNeeded,
            ConfigurationAndSWHardeningNeeded,
            OutOfDate,
            OutOfDateConfigurationNeeded,
            Revoked,
            Unrecognised,
        ];
        for one in all {
            for other in all {
                for module in all {
                    let part = |part, status| PartTcb {
                        part,
                        status,
                        tcb_date: None,
                        advisories: Vec::new(),
                        update: None,
                    };
                    let parts = [
                        part(TcbPart::Platform, one),
                        part(TcbPart::TdxModule, module),
                        part(TcbPart::QuotingEnclave, other),
                    ];
                    let whole = worst(&parts);
                    assert!(whole >= one.max(other).max(module));
                    if other != UpToDate || module != UpToDate {
                        assert!(whole >= OutOfDate);
                    }
                }
            }
        }
    }
}
